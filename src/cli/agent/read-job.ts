import { readFile } from 'node:fs/promises';
import { JOB, type Job } from '../../runs/agents/wire.ts';

/** Reads a phase that another program has taken. @throws Error with words for the operator */
export async function readJob(file: string): Promise<Job> {
  const read = JOB.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (read.success) return read.data;
  throw new Error(`${file} holds no plan or apply that can be executed: it is written by --kubernetes-job`);
}
