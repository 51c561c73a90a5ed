import { mergeStates, type MergeChange, type MergeSide, type StateMerge } from '../../core/snapshot/merge.ts';
import { readParts, type StateParts } from '../../core/snapshot/merge-parts.ts';
import type { HeldLock, StateClient } from '../../ports/state-client.ts';
import type { Environment } from '../../ports/environment.ts';
import { Failure, wrongUse } from '../failure.ts';
import type { OptionSpec } from '../options.ts';
import { duration, flag, texts } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { findAncestor } from './ancestor.ts';
import { underLock } from './holding.ts';
import { OPERATION_RESCUE } from './operations.ts';
import { writeAndVerify } from './writing.ts';

/** The options of a merge. */
export const RESCUE_OPTIONS: {
  readonly ours: OptionSpec<readonly string[]>;
  readonly theirs: OptionSpec<readonly string[]>;
  readonly dryRun: OptionSpec<boolean>;
  readonly yes: OptionSpec<boolean>;
  readonly lockTimeout: OptionSpec<number>;
} = {
  ours: texts('NAME', 'where both states changed NAME, take the refused one; "*" for all', {
    environment: false,
  }),
  theirs: texts('NAME', 'where both states changed NAME, take the newest one; "*" for all', {
    environment: false,
  }),
  dryRun: flag('show what would be merged, and write nothing', { environment: false }),
  yes: flag('do not ask for confirmation', { environment: false }),
  lockTimeout: duration('0s', 'TIME', 'wait at most TIME for the lock'),
};

export interface Rescue {
  readonly client: StateClient;
  readonly workspace: string;
  /** The refused state, and what people call it. */
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly options: {
    readonly ours: readonly string[];
    readonly theirs: readonly string[];
    readonly dryRun: boolean;
    readonly yes: boolean;
    readonly lockTimeout: number;
  };
  readonly terminal: Terminal;
  readonly env: Environment;
  readonly stopped: AbortSignal;
}

/** What came of it. */
export interface Rescued {
  /** `nothing`: the newest state has it all. `refused`: not confirmed. */
  readonly type: 'written' | 'nothing' | 'dry-run' | 'refused';
  readonly serial: bigint | null;
  readonly ancestor: string;
  readonly changes: readonly MergeChange[];
}

/** Merges a refused state into the newest one, under the lock. @throws Failure when it cannot, or when it must ask and cannot */
export async function rescueState(rescue: Rescue): Promise<Rescued> {
  const { client, workspace, bytes, name, options, terminal, env, stopped } = rescue;
  const ours = partsIn(bytes, name);
  const timeout = options.lockTimeout;
  const wanted = { client, workspace, operation: OPERATION_RESCUE, timeout, stopped, env };
  return underLock(terminal, { ...wanted, noLock: options.dryRun }, async (lock) => {
    const there = await client.read(workspace);
    if (there === null) return writeWhole(rescue, ours, lock);
    const theirs = partsIn(there, client.locate(workspace));
    const { base, name: ancestor } = await findAncestor(client, workspace, { ours, theirs });
    const sides = { base, ours, theirs };
    const first = mergeStates(sides, new Map());
    show(terminal, first, { ours, theirs, ancestor, name });
    if (first.isNewest && first.conflicts.length === 0)
      return { type: 'nothing', serial: theirs.header.serial, ancestor, changes: first.changes };
    const choices = await choose(rescue, first, !options.dryRun);
    const merged = mergeStates(sides, choices);
    // A dry run is refused where the run would be: in a script that cannot be asked.
    if (options.dryRun && (merged.bytes !== null || terminal.interactive))
      return { type: 'dry-run', serial: null, ancestor, changes: first.changes };
    if (merged.bytes === null) throw undecided(merged);
    const serial = theirs.header.serial + 1n;
    const end = { serial, ancestor, changes: merged.changes };
    if (merged.isNewest) return { type: 'nothing', ...end, serial: theirs.header.serial };
    const question = `Write the merged state as serial ${serial} of ${client.locate(workspace)}?`;
    if (!options.yes && !(await terminal.confirm(question, '--yes'))) return { type: 'refused', ...end };
    await writeAndVerify(client, workspace, merged.bytes, lock);
    return { type: 'written', ...end };
  });
}

/** There is no state any more, or not yet: the refused one is written as it is. */
async function writeWhole(
  { client, workspace, bytes, name, options, terminal }: Rescue,
  { header: { serial } }: StateParts,
  lock: HeldLock | null,
): Promise<Rescued> {
  const end = { serial, ancestor: 'none', changes: [] };
  terminal.note(`There is no state at ${client.locate(workspace)}.`);
  if (options.dryRun) return { type: 'dry-run', ...end };
  const question = `Write ${name} as it is, with serial ${serial}?`;
  if (!options.yes && !(await terminal.confirm(question, '--yes'))) return { type: 'refused', ...end };
  await writeAndVerify(client, workspace, bytes, lock);
  return { type: 'written', ...end };
}

function partsIn(bytes: Uint8Array, name: string): StateParts {
  const read = readParts(bytes);
  if ('problem' in read) throw new Failure(`${name} cannot be merged: ${read.problem}`);
  if (read.type === 'parts') return read;
  throw new Failure(`${name} is encrypted by OpenTofu, and only OpenTofu can read what is in it`, {
    next: 'Save it with --save FILE, open a copy of the folder with a local backend and the same encryption block, put FILE there as terraform.tfstate, and compare "tofu state pull" of both. Then "tofu import" what is missing, or "tofu state push" the one that is right.',
  });
}

const SIGNS = { added: '+', changed: '~', removed: '-' } as const;

function show(
  terminal: Terminal,
  { changes, conflicts }: StateMerge,
  about: {
    readonly ours: StateParts;
    readonly theirs: StateParts;
    readonly ancestor: string;
    readonly name: string;
  },
): void {
  const { ours, theirs, ancestor, name } = about;
  const by = { ours: 'in the refused state', theirs: 'in the newest state', both: 'in both' } as const;
  terminal.note(`${name}: serial ${ours.header.serial}, by Terraform ${ours.header.terraformVersion}`);
  terminal.note(`newest state: serial ${theirs.header.serial}`);
  terminal.note(`common ancestor: ${ancestor}`);
  for (const change of changes)
    terminal.note(`  ${SIGNS[change.kind]} ${change.name}  ${change.kind} ${by[change.by]}`);
  for (const { name: what, ours: mine, theirs: other } of conflicts) {
    const [one, two] = [mine, other].map((text) => (text === null ? 'absent' : 'present'));
    terminal.note(`  ! ${what}  differs: ${one} in the refused state, ${two} in the newest`);
  }
}

/** Which side to take of what both changed: by the options, else by asking, where that is allowed. */
async function choose(
  { options, terminal }: Rescue,
  { conflicts }: StateMerge,
  asks: boolean,
): Promise<ReadonlyMap<string, MergeSide>> {
  const names = new Set(conflicts.map(({ name }) => name));
  for (const name of [...options.ours, ...options.theirs]) {
    if (name !== '*' && !names.has(name))
      throw wrongUse(`"${name}" is not among what both states changed`, namesOf(conflicts));
  }
  const choices = new Map<string, MergeSide>();
  for (const name of names) {
    const [mine, other] = [options.ours, options.theirs].map((list) => list.includes(name));
    if (mine === true || other === true) choices.set(name, mine === true ? 'ours' : 'theirs');
    else if (options.ours.includes('*')) choices.set(name, 'ours');
    else if (options.theirs.includes('*')) choices.set(name, 'theirs');
    else if (asks && terminal.interactive) {
      const question = `Take ${name} from the refused state? Any other answer takes it from the newest one.`;
      choices.set(name, (await terminal.confirm(question, '--ours')) ? 'ours' : 'theirs');
    }
  }
  return choices;
}

function undecided({ conflicts }: StateMerge): Failure {
  return new Failure(`both states changed ${conflicts.length === 1 ? 'this' : 'these'}`, {
    next: `Say for each which one to take, with --ours NAME (the refused state) or --theirs NAME (the newest).\n${namesOf(conflicts)}`,
    details: { conflicts: conflicts.map(({ name }) => name) },
  });
}

function namesOf(conflicts: StateMerge['conflicts']): string {
  return conflicts.length === 0
    ? 'They changed nothing both.'
    : conflicts.map(({ name }) => `  ${name}`).join('\n');
}
