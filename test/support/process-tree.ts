import { readdir, readFile } from 'node:fs/promises';

/** A process and all that it has started, and those have: a database has a process for each connection. */
export async function processesOf(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : '';
    const [, parent] = /\) \S (\d+) /.exec(stat) ?? [];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found = [pid];
  for (const one of found)
    for (const [child, parent] of parents) if (parent === one && !found.includes(child)) found.push(child);
  return found;
}
