import { setTimeout as sleep } from 'node:timers/promises';
import type { RunActionName, RunShape } from '../../api/shapes/run.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from './client.ts';
import { CONNECTION_OPTIONS, readConnection } from './connection.ts';

const ASK_MS = 500;

/** What a run may be told, as a command of its own. */
export function runCommand(
  action: RunActionName,
  { description, example, says }: { description: string; example: string; says: string },
): Command {
  return defineCommand({
    description,
    args: [{ name: 'run', help: 'its ID, as "statehouse run list" shows it', required: true }],
    options: { ...CONNECTION_OPTIONS },
    examples: [{ line: example, says }],
    run: async ({ args: [id = ''], options, terminal, stopped }) => {
      const house = new HouseClient(readConnection(options), stopped);
      const run = await house.ask('act-on-run', { path: { id }, body: { action } });
      if (terminal.json) terminal.result(run);
      else terminal.say(`${run.id} at ${run.address} is ${run.status}.`);
      return DONE;
    },
  });
}

/**
 * Yields what the programs of a run have said in a phase.
 * @param follow goes on until the phase has ended
 */
export async function* runLog(
  house: HouseClient,
  query: { readonly run: string; readonly phase: 'plan' | 'apply' },
  { follow, stopped }: { follow: boolean; stopped: AbortSignal },
): AsyncGenerator<string> {
  let offset = 0;
  while (!stopped.aborted) {
    const { text, next, ended } = await house.ask('show-run-log', { query: { ...query, offset } });
    if (text !== '') yield text;
    if (ended || (next === offset && !follow)) return;
    if (next === offset) await sleep(ASK_MS, undefined, { signal: stopped }).catch(() => undefined);
    offset = next;
  }
}

/** What a run would do, in a few words. */
export function changesOf({ counts }: RunShape): string {
  if (counts === null) return '';
  const { additions, changes, destructions } = counts;
  return `+${additions} ~${changes} -${destructions}`;
}
