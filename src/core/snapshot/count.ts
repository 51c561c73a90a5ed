/** How much is in a state, in three numbers. */
export interface StateCounts {
  /** Managed resource blocks with an instance. */
  readonly resources: number;
  /** Their current objects. */
  readonly instances: number;
  readonly outputs: number;
}

interface Countable {
  readonly mode?: unknown;
  readonly instances?: unknown;
  readonly deposed?: unknown;
}

/** Counts without taking the state apart, for answers that must come at once; null when the bytes are no such state. */
export function countState(bytes: Uint8Array): StateCounts | null {
  let state: { readonly outputs?: unknown; readonly resources?: unknown } | null;
  try {
    state = JSON.parse(new TextDecoder().decode(bytes)) as typeof state;
  } catch {
    return null;
  }
  if (typeof state !== 'object' || state === null) return null;
  const managed = listOf(state.resources).filter(({ mode }) => mode === 'managed');
  const instances = managed.map((resource) => listOf(resource.instances));
  return {
    resources: instances.filter(({ length }) => length > 0).length,
    instances: instances.flat().filter(({ deposed }) => typeof deposed !== 'string').length,
    outputs:
      typeof state.outputs === 'object' && state.outputs !== null ? Object.keys(state.outputs).length : 0,
  };
}

function listOf(value: unknown): readonly Countable[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}
