import { AUDIT_ACTIONS } from '../core/audit-actions.ts';
import { ROLES } from '../core/grant.ts';
import type { Command, Invocation } from './command.ts';
import type { Completes } from './options.ts';

/** Who waits for a Tab waits no longer than this. */
const PATIENCE_MS = 2_000;
const ADDRESSES_MAX = 500;

/** The values of a command's options, as far as they can be read, and where it is asked. */
export type Asking = Pick<Invocation<Command['options']>, 'options' | 'terminal' | 'env' | 'cwd' | 'stopped'>;

/** The words that the shell may offer; none where they cannot be had. */
export async function completeValues(kind: Completes, asking: Asking): Promise<readonly string[]> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const late = new Promise<readonly string[]>((resolve) => {
    patience.addEventListener('abort', () => resolve([]), { once: true });
  });
  const stopped = AbortSignal.any([asking.stopped, patience]);
  const found = valuesOf(kind, { ...asking, stopped }).catch(() => []);
  return (await Promise.race([found, late])).filter(isPlain);
}

/** Names are chosen by others: what a shell could take for more than a word is never offered. */
function isPlain(word: string): boolean {
  return /^[\w./@:%+,=][\w./@:%+,=-]*$/.test(word);
}

async function valuesOf(kind: Completes, asking: Asking): Promise<readonly string[]> {
  switch (kind) {
    case 'action':
      return AUDIT_ACTIONS;
    case 'role':
      return ROLES.map((role) => `${role}:`);
    case 'backend':
      return (await import('../protocols/backends.ts')).CLIENT_NAMES;
    case 'served-backend':
      return (await import('../protocols/backends.ts')).SERVED_BACKENDS.map(({ name }) => name);
    case 'address':
      return addresses(asking);
    case 'workspace':
      return workspaces(asking);
  }
}

async function addresses({ options, stopped }: Asking): Promise<readonly string[]> {
  const [{ HouseClient }, { readConnection }] = await Promise.all([
    import('./server/client.ts'),
    import('./server/connection.ts'),
  ]);
  const connection = readConnection(options as unknown as Parameters<typeof readConnection>[0]);
  const house = new HouseClient(connection, stopped);
  const { items } = await house.list('list-states', { deleted: true }, ADDRESSES_MAX);
  return items.map(({ address }) => address);
}

async function workspaces(asking: Asking): Promise<readonly string[]> {
  const { withTarget } = await import('./folder/target.ts');
  type Asked = Parameters<typeof withTarget>[0];
  // A Tab runs no program that a folder names.
  const safe = { ...asking, options: { ...asking.options, noExternal: true } };
  const list = withTarget(safe as unknown as Asked, 'reads', ({ client }) => client.workspaces());
  return (await list) ?? [];
}
