import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { DiffShape } from '../../../../src/api/shapes/content.ts';
import { ApiError } from '../../../../src/api/error.ts';
import type { VersionChangesShape } from '../../../../src/api/shapes/look.ts';
import { api } from '../../api.ts';

/** What is known of what a version changed: nothing yet, that it is not to be had, or how much. */
export type Known = VersionChangesShape | 'unknown' | null;

/** Versions that are asked for at once. */
const STEP = 20;
/** How long to wait where the server has too much to read already. */
const BUSY_MS = 1_000;

/** What the versions of one state changed. It is asked for when a version is looked at, a few versions at a time. */
export class ChangesOf {
  readonly #address: string;
  readonly #known = new Map<number, Signal<Known>>();
  readonly #wanted: number[] = [];
  #working = false;

  constructor(address: string) {
    this.#address = address;
  }

  of(version: number): ReadonlySignal<Known> {
    const there = this.#known.get(version);
    if (there !== undefined) return there;
    const made = signal<Known>(null);
    this.#known.set(version, made);
    this.#wanted.push(version);
    // All that are looked at now are asked for together.
    queueMicrotask(() => void this.#work());
    return made;
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    for (;;) {
      const open = this.#wanted.filter((version) => this.#known.get(version)?.peek() === null);
      this.#wanted.length = 0;
      if (open.length === 0) break;
      const newest = Math.max(...open);
      const rest = await this.#ask(newest);
      this.#wanted.push(...open.filter((version) => version !== newest || rest));
    }
    this.#working = false;
  }

  /** @returns whether it is to be asked again */
  async #ask(newest: number): Promise<boolean> {
    try {
      const query = { address: this.#address, before: newest + 1, limit: STEP };
      const { changes } = await api.ask('list-changes', { query });
      for (const change of changes) this.#tell(change.version, change.problem === 'busy' ? null : change);
      if (!changes.some(({ version }) => version === newest)) this.#tell(newest, 'unknown');
      const busy = changes.some(({ version, problem }) => version === newest && problem === 'busy');
      if (busy) await pause(BUSY_MS);
      return busy;
    } catch (fault) {
      const busy = fault instanceof ApiError && fault.status === 429;
      if (busy) await pause(BUSY_MS);
      else this.#tell(newest, 'unknown');
      return busy;
    }
  }

  #tell(version: number, known: Known): void {
    const there = this.#known.get(version);
    if (there === undefined) this.#known.set(version, signal(known));
    else there.value = known;
  }
}

/** Counts the instances that a diff names, by what became of them. */
export function countChanges({ instances }: Pick<DiffShape, 'instances'>): {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
} {
  const count = (kind: string): number => instances.filter((one) => one.kind === kind).length;
  return { added: count('added'), changed: count('changed'), removed: count('removed') };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
