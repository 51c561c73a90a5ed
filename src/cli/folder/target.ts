import { resolve } from 'node:path';
import type { StateClient } from '../../ports/state-client.ts';
import { CLIENT_NAMES, isSecretSetting, openClient } from '../../protocols/backends.ts';
import type { Target } from '../../workdir/folder.ts';
import { findTarget } from '../../workdir/folder.ts';
import type { Invocation } from '../command.ts';
import { Failure } from '../failure.ts';
import type { OptionSpec } from '../options.ts';
import { flag, text, texts } from '../options.ts';

/** The options by which every command of a folder finds its states. */
export const TARGET_OPTIONS: {
  readonly chdir: OptionSpec<string | undefined>;
  readonly backend: OptionSpec<string | undefined>;
  readonly backendConfig: OptionSpec<readonly string[]>;
  readonly workspace: OptionSpec<string | undefined>;
  readonly noExternal: OptionSpec<boolean>;
} = {
  chdir: text('DIR', 'work in this Terraform folder'),
  backend: text('TYPE', `use this backend, whatever the folder says: ${CLIENT_NAMES.join(', ')}`, {
    completes: 'backend',
  }),
  backendConfig: texts('K=V|FILE', "settings of the backend, as terraform init's -backend-config", {
    isSecret: isSecretSetting,
  }),
  workspace: text('NAME', 'this workspace instead of the selected one', { completes: 'workspace' }),
  noExternal: flag('run no program and read no file that the folder names, as in CI on pull requests'),
};

export interface OpenTarget extends Target {
  readonly client: StateClient;
  readonly folder: string;
  /** The selected workspace as terraform has it written down. */
  readonly selected: string;
}

type TargetInvocation = Pick<Invocation<typeof TARGET_OPTIONS>, 'options' | 'terminal' | 'env' | 'cwd'>;

/**
 * Opens the backend of the folder, and closes it when the command is done. What the files and the last init disagree about
 * is said; a command that changes something is refused then, since it could change the wrong state.
 */
export async function withTarget<T>(
  { options, terminal, env, cwd }: TargetInvocation,
  purpose: 'reads' | 'changes',
  use: (target: OpenTarget) => Promise<T>,
): Promise<T> {
  const { chdir, backend, backendConfig, workspace, noExternal } = options;
  const folder = resolve(cwd, chdir ?? '.');
  const target = await findTarget({ folder, env, backend, backendConfig, workspace, noExternal });
  if (target.disagreements.length > 0) {
    const next = 'Run "terraform init", or name the backend with --backend and --backend-config.';
    if (purpose === 'changes') throw new Failure(target.disagreements.join('; '), { exitCode: 2, next });
    terminal.note(`${terminal.colors.yellow('Warning:')} ${target.disagreements.join('; ')}. ${next}`);
  }
  const client = await openClient(target.choice);
  try {
    const { workspace: selected } = target;
    const own = client.selected?.(selected) ?? selected;
    return await use({ ...target, workspace: own, selected, client, folder });
  } finally {
    await client.close();
  }
}
