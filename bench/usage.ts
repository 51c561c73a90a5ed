import { readFile } from 'node:fs/promises';

/** Linux counts processor time in these (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

/** What a process has used so far. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** The most that it ever had in memory. */
  readonly peakBytes: number;
}

/** Reads it from /proc, so that the process need not be asked. */
export async function usageOf(pid: number): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold spaces: fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssBytes: kib('VmRSS'),
    peakBytes: kib('VmHWM'),
  };
}

/** Processor time of all of them, in seconds. */
export async function cpuOf(pids: readonly number[]): Promise<number> {
  const usages = await Promise.all(pids.map((pid) => usageOf(pid).catch(() => null)));
  return usages.reduce((sum, usage) => sum + (usage?.cpuSeconds ?? 0), 0);
}
