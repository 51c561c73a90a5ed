import { readdir, readFile } from 'node:fs/promises';

/** What a program and all that it has started use now. */
export interface Usage {
  readonly processes: number;
  /** Bytes that are in memory; what processes share is counted for each. */
  readonly memory: number;
}

export const NO_USAGE: Usage = { processes: 0, memory: 0 };

const PAGE_BYTES = 4_096;
/** A tree with more processes than this is not looked at further: it is over every limit. */
const LOOKED_AT_MAX = 2_000;

/** What a process and those below it use, as Linux tells it in /proc; nothing where there is no such place. */
export async function usageBelow(pid: number): Promise<Usage> {
  let [processes, memory] = [0, 0];
  const open = [pid];
  for (let at = open.pop(); at !== undefined && processes < LOOKED_AT_MAX; at = open.pop()) {
    const statm = await read(`/proc/${at}/statm`);
    if (statm === null) continue;
    processes += 1;
    memory += Number(statm.split(' ')[1] ?? 0) * PAGE_BYTES;
    // Each thread has children of its own.
    for (const thread of await readdir(`/proc/${at}/task`).catch(() => [])) {
      const children = await read(`/proc/${at}/task/${thread}/children`);
      open.push(
        ...(children ?? '')
          .split(' ')
          .filter((one) => one !== '')
          .map(Number),
      );
    }
  }
  return { processes, memory };
}

async function read(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return null;
  }
}
