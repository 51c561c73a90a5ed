import { countState } from '../../core/snapshot/count.ts';
import { BackendFault, type LockState } from '../../ports/state-client.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { lockFacts, lockInWords } from '../folder/lock-view.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { formatSize } from '../figures.ts';
import { formatFacts } from '../table.ts';
import { headerOf } from '../folder/content.ts';
import type { OpenTarget } from '../folder/target.ts';

export const command: Command = defineCommand({
  description: 'Shows where the state of this folder is, what is in it, and who holds its lock.',
  args: [],
  options: { ...TARGET_OPTIONS },
  examples: [
    { line: 'statehouse status', says: 'of the present folder and workspace' },
    { line: 'statehouse status --chdir live/prod --workspace eu', says: 'of another folder and workspace' },
    {
      line: 'statehouse status --backend s3 --backend-config bucket=b --backend-config key=k',
      says: 'without any folder',
    },
  ],
  run: (invocation) =>
    withTarget(invocation, 'reads', async (target) => {
      const { terminal } = invocation;
      const { client, workspace, choice, source, disagreements } = target;
      const [state, lock] = await Promise.all([describeState(target), seenLock(target)]);
      const location = client.locate(workspace);
      if (terminal.json) {
        terminal.result({ backend: choice.type, source, location, workspace, state, lock, disagreements });
        return DONE;
      }
      const { colors } = terminal;
      const held = lock.type === 'held' ? colors.yellow(lockInWords(lock)) : lockInWords(lock);
      terminal.say(
        formatFacts([
          ['Backend', `${choice.type} (${source})`],
          ['State', location],
          ['Workspace', workspace],
          ...stateFacts(state),
          ['Lock', lock.type === 'free' ? colors.green('free') : held],
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
function seenLock({ client, workspace }: OpenTarget): Promise<LockState> {
  return client.inspectLock(workspace).catch((fault: unknown) => {
    if (fault instanceof BackendFault) return { type: 'unknown', message: fault.message };
    throw fault;
  });
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

async function describeState({ client, workspace }: OpenTarget): Promise<StateDescription | null> {
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
