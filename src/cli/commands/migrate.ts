import { hostname } from 'node:os';
import { CLIENT_NAMES, isSecretSetting, openClient } from '../../protocols/backends.ts';
import { dataFolderOf, findTarget } from '../../workdir/folder.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { LOCK_OPTIONS } from '../folder/holding.ts';
import type { Copied, CopyOptions, Planned, Sides } from '../folder/migration/copy.ts';
import { conflict, copyWorkspace, planCopy } from '../folder/migration/copy.ts';
import { Journal } from '../folder/migration/journal.ts';
import type { OpenTarget } from '../folder/target.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { listedWorkspaces } from '../folder/workspace-names.ts';
import { flag, text, texts } from '../options.ts';
import { startProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

export const command: Command = defineCommand({
  description:
    'Copies all workspaces to another backend, byte for byte with lineage and serial. Each one is locked on both sides, read back and compared. ' +
    'The source is not changed. After a crash, run it again: what was copied already is left alone.',
  args: [],
  options: {
    ...TARGET_OPTIONS,
    lockTimeout: LOCK_OPTIONS.lockTimeout,
    to: text('TYPE', `the backend to copy to: ${CLIENT_NAMES.join(', ')}`, { completes: 'backend' }),
    toConfig: texts('K=V|FILE', 'settings of that backend, as in --backend-config', {
      isSecret: isSecretSetting,
    }),
    only: texts('NAME', 'only this workspace', { completes: 'workspace' }),
    dryRun: flag('show what would be done, and change nothing', { environment: false }),
    force: flag('replace the states of the target', { environment: false }),
    noLock: flag('continue although one side has no locks (dangerous)', { environment: false }),
  },
  examples: [
    {
      line: 'statehouse migrate --to s3 --to-config bucket=states --to-config key=net.tfstate --to-config use_lockfile=true',
      says: 'all workspaces of this folder',
    },
    { line: 'statehouse migrate --to http --to-config server.hcl --dry-run', says: 'looks first' },
  ],
  run: (invocation) =>
    withTarget(invocation, 'changes', async (target) => {
      const { options, terminal, env, stopped } = invocation;
      if (options.to === undefined)
        throw wrongUse('--to is missing', 'Name the backend to copy to, such as --to s3.');
      const { choice } = await findTarget({
        folder: target.folder,
        env,
        backend: options.to,
        backendConfig: options.toConfig,
        noExternal: options.noExternal,
      });
      const to = await openClient(choice);
      const sides = { from: target.client, to };
      try {
        if (!options.dryRun && !options.noLock) demandLocks(sides);
        const workspaces = await chooseWorkspaces(sides, options.only);
        const plan = await planAll(sides, workspaces, options.force);
        if (options.dryRun) return report(terminal, sides, plan, true);
        for (const step of plan) if (step.outcome === 'conflict') throw conflict(step.workspace, step.why);
        const copied = await copyAll(terminal, target, {
          sides,
          workspaces,
          timeout: options.lockTimeout,
          force: options.force,
          stopped,
        });
        report(terminal, sides, copied, false);
        if (!terminal.json)
          terminal.note(
            `The source was not changed. Change the backend block to "${options.to}", then: terraform init -reconfigure`,
          );
        return DONE;
      } finally {
        await to.close();
      }
    }),
});

async function chooseWorkspaces({ from, to }: Sides, only: readonly string[]): Promise<readonly string[]> {
  const chosen = only.length > 0 ? only : await listedWorkspaces(from);
  if (from.locate('default') === to.locate('default'))
    throw wrongUse('the source and the target are the same');
  const more = chosen.filter((name) => name !== 'default');
  if (more.length > 0 && to.traits.workspaces === 'default-only') {
    throw new Failure(`the target has no workspaces, and there are ${more.length} besides default`, {
      next: 'Put {workspace} into the addresses of the target, or choose one workspace: --only default.',
    });
  }
  return chosen;
}

/** A copy is worthless if another client writes the state meanwhile. */
function demandLocks({ from, to }: Sides): void {
  const open = [from, to].find(({ traits }) => traits.locks === 'none');
  if (open === undefined) return;
  throw new Failure(`nothing is locked at ${open.locate('default')}`, {
    next: 'Configure locking there. Or make sure that no one else works on it meanwhile, and add --no-lock.',
  });
}

async function planAll(
  sides: Sides,
  workspaces: readonly string[],
  force: boolean,
): Promise<readonly Planned[]> {
  const plan: Planned[] = [];
  for (const workspace of workspaces) plan.push(await planCopy(sides, workspace, force));
  return plan;
}

async function copyAll(
  terminal: Terminal,
  { folder, choice }: OpenTarget,
  {
    sides,
    workspaces,
    ...options
  }: CopyOptions & { readonly sides: Sides; readonly workspaces: readonly string[] },
): Promise<readonly Copied[]> {
  const [from, to] = [sides.from.locate('default'), sides.to.locate('default')];
  const { journal, resumed } = await Journal.open(dataFolderOf(folder, choice.env), from, to, hostname());
  if (resumed) terminal.note('Continuing the unfinished migration.');
  const progress = startProgress(terminal, workspaces.length, 'Copying');
  const copied: Copied[] = [];
  try {
    for (const workspace of workspaces) {
      if (options.stopped.aborted)
        throw new Failure('stopped', { next: 'Run the same command again to go on.' });
      progress.step(copied.length, workspace);
      copied.push(await copyWorkspace(sides, workspace, journal, options));
    }
  } finally {
    progress.end();
  }
  await journal.finish();
  return copied;
}

function report(
  terminal: Terminal,
  { from, to }: Sides,
  steps: readonly Planned[],
  dry: boolean,
): typeof DONE {
  if (terminal.json) {
    terminal.result({
      from: from.locate('default'),
      to: to.locate('default'),
      dryRun: dry,
      workspaces: steps,
    });
    return DONE;
  }
  terminal.table(
    ['WORKSPACE', dry ? 'WOULD BE' : 'WAS', 'SERIAL', 'SHA-256'],
    steps.map((step) =>
      step.outcome === 'conflict'
        ? [step.workspace, `refused: ${step.why}`]
        : [step.workspace, step.outcome, String(step.serial ?? ''), (step.sha256 ?? '').slice(0, 16)],
    ),
  );
  return DONE;
}
