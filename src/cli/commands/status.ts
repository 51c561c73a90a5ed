import { countState } from '../../core/snapshot/count.ts';
import { BackendFault, type LockState } from '../../ports/state-client.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { lockFacts, lockInWords } from '../folder/lock-view.ts';
import { formatSize } from '../figures.ts';
import { localTime } from '../moment.ts';
import { formatFacts } from '../table.ts';
import { headerOf } from '../folder/content.ts';
import { PLACE, PLACE_OPTIONS, withPlace, type OpenPlace } from '../place/place.ts';
import type { FreezeShape } from '../../api/shapes/freeze.ts';
import type { LockShape } from '../../api/shapes/lock.ts';
import { Failure } from '../failure.ts';

export const command: Command = defineCommand({
  description:
    'Shows where the state of a folder is, what is in it, who holds its lock, and whether a server has it frozen.',
  args: [PLACE],
  options: { ...PLACE_OPTIONS },
  examples: [
    { line: 'statehouse status', says: 'of the present folder and workspace' },
    { line: 'statehouse status --chdir live/prod --workspace eu', says: 'of another folder and workspace' },
    {
      line: 'statehouse status --backend s3 --backend-config bucket=b --backend-config key=k',
      says: 'without any folder',
    },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async (place) => {
      const { terminal } = invocation;
      const { client, workspace, folder } = place;
      const [state, lock, served] = await Promise.all([
        describeState(place),
        seenLock(place),
        servedLock(place),
      ]);
      const frozen = served?.frozen ?? null;
      const unheard = served === null ? null : isUnheard(served);
      const location = client.locate(workspace);
      const { source = 'an address', disagreements = [] } = folder ?? {};
      if (folder?.bare === true)
        terminal.note(`${terminal.colors.yellow('Warning:')} there are no .tf files in ${folder.folder}.`);
      if (terminal.json) {
        terminal.result({
          backend: client.backend,
          source,
          location,
          workspace,
          state,
          lock,
          unheard,
          frozen,
          disagreements,
        });
        return DONE;
      }
      const { colors } = terminal;
      const held = lock.type === 'held' ? colors.yellow(lockInWords(lock)) : lockInWords(lock);
      terminal.say(
        formatFacts([
          ['Backend', `${client.backend} (${source})`],
          ['State', location],
          ['Workspace', workspace],
          ...stateFacts(state),
          ['Lock', lock.type === 'free' ? colors.green('free') : held],
          ...(unheard === true ? [['', colors.yellow(UNHEARD)] as const] : []),
          ...(frozen === null ? [] : [['Frozen', colors.yellow(freezeInWords(frozen))] as const]),
        ]),
      );
      if (lock.type === 'held' && lock.holder !== null) {
        for (const [name, value] of lockFacts(lock.holder))
          terminal.say(`  ${`${name}:`.padEnd(11)}${value}`);
      }
      if (
        lock.type === 'held' &&
        lock.note !== '' &&
        lock.holder !== null &&
        lock.note !== lock.holder.info
      ) {
        terminal.say(`  ${lock.note}`);
      }
      return DONE;
    }),
});

/** Who may read a state may not always see its lock; the state is shown nevertheless. */
function seenLock({ client, workspace }: OpenPlace): Promise<LockState> {
  return client.inspectLock(workspace).catch((fault: unknown) => {
    if (fault instanceof BackendFault) return { type: 'unknown', message: fault.message };
    throw fault;
  });
}

/** What a server alone tells of a lock, to those who may see it; null elsewhere. */
async function servedLock({ served }: OpenPlace): Promise<LockShape | null> {
  try {
    const found = await served();
    if (found === null) return null;
    return await found.house.ask('show-lock', { query: { address: found.name } });
  } catch (fault) {
    if (fault instanceof Failure || fault instanceof BackendFault) return null;
    throw fault;
  }
}

const UNHEARD = 'its client has not acknowledged that it was granted; it is taken back if the client is gone';

/** Whether a holder may not know that it has the lock; null where another node alone knows. */
function isUnheard({ holders }: LockShape): boolean | null {
  if (holders.some(({ unheard }) => unheard === true)) return true;
  return holders.some(({ unheard }) => unheard === null) ? null : false;
}

/** Until when, by whom and why applies are refused. */
function freezeInWords({ until, by, reason, pattern }: FreezeShape): string {
  return `applies are refused until ${localTime(until)} by ${by} (${pattern}): ${reason}`;
}

interface StateDescription {
  readonly serial: bigint;
  readonly lineage: string;
  readonly terraformVersion: string;
  readonly encrypted: boolean;
  readonly size: number;
  readonly resources: number | null;
  readonly instances: number | null;
  readonly outputs: number | null;
}

async function describeState({ client, workspace }: OpenPlace): Promise<StateDescription | null> {
  const bytes = await client.read(workspace);
  if (bytes === null) return null;
  const { serial, lineage, terraformVersion, encrypted } = headerOf(bytes, client.locate(workspace));
  const known = { serial, lineage, terraformVersion, encrypted, size: bytes.length };
  const counts = encrypted ? null : countState(bytes);
  return { ...known, ...(counts ?? { resources: null, instances: null, outputs: null }) };
}

function stateFacts(state: StateDescription | null): readonly (readonly [string, string])[] {
  if (state === null) return [['Serial', 'no state yet']];
  const { resources, instances, outputs, size } = state;
  const content =
    resources === null
      ? state.encrypted
        ? 'encrypted by OpenTofu'
        : 'cannot be read'
      : `${count(resources, 'resource')}, ${count(instances ?? 0, 'instance')}, ${count(outputs ?? 0, 'output')}`;
  return [
    ['Serial', state.serial.toString()],
    ['Lineage', state.lineage],
    ['Written by', state.terraformVersion === '' ? 'unknown' : `version ${state.terraformVersion}`],
    ['Content', `${content}, ${formatSize(size)}`],
  ];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
