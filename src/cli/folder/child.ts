import { basename, resolve } from 'node:path';
import type { Environment } from '../../ports/environment.ts';
import type { StateClient } from '../../ports/state-client.ts';
import { OPERATION_EXEC, OPERATION_EXEC_CLAIMED } from '../../core/lock-info.ts';
import { NAMED_OUTRIGHT } from '../../workdir/folder.ts';
import { INHERITED_LOCK, INHERITED_WORKSPACE } from './holding.ts';
import type { OpenTarget } from './target.ts';

const TERRAFORMS: ReadonlySet<string> = new Set(['terraform', 'tofu']);

/** The commands of terraform that take the lock of the selected workspace, as `TF_CLI_ARGS_…` names them. */
const LOCKING = [
  'apply',
  'destroy',
  'import',
  'plan',
  'refresh',
  'state_mv',
  'state_push',
  'state_replace_provider',
  'state_rm',
  'taint',
  'untaint',
];
const NO_LOCK = '-lock=false';

/** How a command that `exec` runs is told of the lock, and which operation the lock must have for it. */
export interface Lending {
  readonly operation: string;
  readonly variables: (lockId: string) => Readonly<Record<string, string>>;
  /** What the user can do so that the server tells the command from others; empty where nothing can be done. */
  readonly warning: string;
}

/** What the backend's client can say of the lock; where it can say nothing, the lock lets in every run of its credential. */
export async function lendingOf(client: StateClient, workspace: string): Promise<Lending> {
  const variables = (await client.lend?.()) ?? null;
  if (variables !== null) return { operation: OPERATION_EXEC_CLAIMED, variables, warning: '' };
  const couldLend = client.lend !== undefined && ((await client.server?.(workspace)) ?? null) !== null;
  const warning = couldLend
    ? 'the user name is not in TF_HTTP_USERNAME but in the backend block, so other runs of this credential can write beside the command if they use -lock=false.'
    : '';
  return { operation: OPERATION_EXEC, variables: () => ({}), warning };
}

/** The environment of a command that runs under a lock. */
export function environmentUnder(
  lockId: string,
  { workspace, env, variables }: Pick<Lending, 'variables'> & { workspace: string; env: Environment },
): Environment {
  return { ...env, ...variables(lockId), [INHERITED_LOCK]: lockId, [INHERITED_WORKSPACE]: workspace };
}

/**
 * Whether a command is a terraform that works on the very state whose lock is held, so that it must not ask for the lock
 * again: in another folder or workspace it must.
 */
export function isOwnTerraform(
  args: readonly string[],
  { cwd, target, namedWorkspace }: { cwd: string; target: OpenTarget; namedWorkspace: boolean },
): boolean {
  const [program = '', ...rest] = args;
  if (!TERRAFORMS.has(basename(program)) || target.source === NAMED_OUTRIGHT || namedWorkspace) return false;
  const chdir = rest.find((word) => /^--?chdir=/.test(word))?.replace(/^--?chdir=/, '') ?? '.';
  return resolve(cwd, chdir) === target.folder;
}

/** The variables with which terraform takes no lock, whatever its command; what is said on its command line wins. */
export function withoutLock(env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    LOCKING.map((command) => {
      const name = `TF_CLI_ARGS_${command}`;
      return [name, [NO_LOCK, env[name] ?? ''].join(' ').trim()];
    }),
  );
}
