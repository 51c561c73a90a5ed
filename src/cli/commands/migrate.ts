import { hostname } from 'node:os';
import { CLIENT_NAMES, isSecretSetting, openClient } from '../../protocols/backends.ts';
import { NAMED_OUTRIGHT, dataFolderOf, findTarget } from '../../workdir/folder.ts';
import { BackendFault, type StateClient } from '../../ports/state-client.ts';
import type { Command, Invocation } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE, FAILED, WRONG_USE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { LOCK_OPTIONS } from '../folder/holding.ts';
import type { Copied, CopyOptions, Planned, Sides } from '../folder/migration/copy.ts';
import { conflict, copyWorkspace, planCopy } from '../folder/migration/copy.ts';
import {
  nextSteps,
  placeOf,
  reachedBy,
  refuseHeld,
  setCopiedAside,
  unselect,
} from '../folder/migration/after.ts';
import { Journal } from '../folder/migration/journal.ts';
import type { OpenTarget } from '../folder/target.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { listedWorkspaces } from '../folder/workspace-names.ts';
import { flag, text, texts } from '../options.ts';
import { startProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

const OPTIONS = {
  ...TARGET_OPTIONS,
  lockTimeout: LOCK_OPTIONS.lockTimeout,
  to: text('TYPE', `the backend to copy to: ${CLIENT_NAMES.join(', ')}`, { completes: 'backend' }),
  toConfig: texts('K=V|FILE', 'settings of that backend, as in --backend-config', {
    isSecret: isSecretSetting,
  }),
  only: texts('NAME', 'only this workspace', { completes: 'workspace' }),
  dryRun: flag('show what would be done, and change nothing', { environment: false }),
  force: flag('replace the states of the target', { environment: false }),
  keepSource: flag('leave local states where they are, although terraform then asks whether to copy them', {
    environment: false,
  }),
  noLock: flag('continue although one side has no locks (dangerous)', { environment: false }),
};

export const command: Command = defineCommand({
  description:
    'Copies all workspaces to another backend, byte for byte with lineage and serial. Each one is locked on both sides, read back and compared. ' +
    'The source is not changed, but local states are renamed to .migrated, so that terraform does not ask whether to copy them. After a crash, run it again: what was copied already is left alone.',
  args: [],
  options: OPTIONS,
  examples: [
    {
      line: 'statehouse migrate --to s3 --to-config bucket=states --to-config key=net.tfstate --to-config use_lockfile=true',
      says: 'all workspaces of this folder',
    },
    { line: 'statehouse migrate --to http --to-config server.hcl --dry-run', says: 'looks first' },
  ],
  run: (invocation) =>
    withTarget(invocation, 'changes', async (target) => {
      const { options, terminal, stopped } = invocation;
      const to = await openOther(invocation, target);
      const sides = { from: target.client, to };
      try {
        if (!options.noLock) demandLocks(sides);
        const workspaces = await chooseWorkspaces(sides, options.only);
        const plan = await planAll(sides, workspaces, options.force);
        const [from, there] = [placeOf(sides.from), placeOf(to)];
        const refused = plan.find((step) => step.outcome === 'conflict');
        if (options.dryRun) {
          await Journal.check(dataFolderOf(target.folder, target.choice.env), from, there, hostname());
          if (refused === undefined) await refuseHeld(sides, workspaces);
          report(terminal, sides, plan, { dryRun: true });
        }
        if (refused !== undefined) throw conflict(refused.workspace, refused.why);
        if (options.dryRun) return DONE;
        const copying = { timeout: options.lockTimeout, force: options.force, stopped };
        const copied = await copyAll(terminal, target, { sides, workspaces, ...copying });
        // Named outright, the states are not what terraform finds in this folder.
        const isOwn = target.source !== NAMED_OUTRIGHT && !options.keepSource;
        const aside = isOwn ? await setCopiedAside(sides, copied, copying) : [];
        const unselected = isOwn && (await unselect(to, target));
        report(terminal, sides, copied, { dryRun: false, aside });
        if (terminal.json) return DONE;
        terminal.note(
          aside.length === 0 ? 'The source was not changed.' : `Moved aside: ${aside.join(', ')}.`,
        );
        if (unselected) terminal.note(`Workspace ${target.selected} is no longer selected.`);
        for (const line of nextSteps(sides, workspaces)) terminal.note(line);
        return DONE;
      } finally {
        await to.close();
      }
    }),
});

/** Opens the target. What is wrong with it is said with the names of its own options. */
async function openOther(
  { options, env }: Invocation<typeof OPTIONS>,
  { folder }: OpenTarget,
): Promise<StateClient> {
  const { to: backend, toConfig: backendConfig, noExternal } = options;
  if (backend === undefined)
    throw wrongUse('--to is missing', 'Name the backend to copy to, such as --to s3.');
  try {
    const { choice } = await findTarget({ folder, env, backend, backendConfig, noExternal });
    return await openClient(choice);
  } catch (fault) {
    if (!(fault instanceof BackendFault)) throw fault;
    const named = (text: string): string =>
      text
        .replaceAll('--backend-config', '--to-config')
        .replace('Write it in the backend block, give', 'Give');
    throw new Failure(`--to ${backend}: ${named(fault.message)}`, {
      next: named(fault.next),
      exitCode: fault.kind === 'configuration' ? WRONG_USE : FAILED,
      details: { kind: fault.kind },
      cause: fault,
    });
  }
}

async function chooseWorkspaces({ from, to }: Sides, only: readonly string[]): Promise<readonly string[]> {
  const chosen = only.length > 0 ? only : await listedWorkspaces(from);
  if (placeOf(from) === placeOf(to)) {
    throw wrongUse(
      `the source and the target are the same: ${placeOf(to)}`,
      'For the same bucket and key on another server, give its endpoint: --to-config endpoints={s3="URL"}.',
    );
  }
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
  const [from, to] = [placeOf(sides.from), placeOf(sides.to)];
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
  { dryRun, aside = [] }: { readonly dryRun: boolean; readonly aside?: readonly string[] },
): void {
  if (terminal.json) {
    const reached = reachedBy(
      to,
      steps.map(({ workspace }) => workspace),
    );
    terminal.result({ from: placeOf(from), to: placeOf(to), dryRun, workspaces: steps, aside, reached });
    return;
  }
  terminal.table(
    ['WORKSPACE', dryRun ? 'WOULD BE' : 'WAS', 'SERIAL', 'SHA-256'],
    steps.map((step) =>
      step.outcome === 'conflict'
        ? [step.workspace, `refused: ${step.why}`]
        : [step.workspace, step.outcome, String(step.serial ?? ''), (step.sha256 ?? '').slice(0, 16)],
    ),
  );
}
