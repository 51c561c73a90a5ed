import { ask } from '../../test/support/request.ts';
import { processesOf } from '../../test/support/process-tree.ts';
import { cpuOf } from '../usage.ts';
import { progress } from '../section.ts';
import { QUESTIONS } from './synthetic.ts';

/** How long one kind of question took, beside a read by the primary key between them, and what it cost the processor. */
export interface Asked {
  readonly what: string;
  readonly found: number;
  readonly p50: number;
  readonly p99: number;
  readonly peerP50: number;
  readonly peerP99: number;
  readonly cpuMs: number;
}

/** Questions and peers take turns in rounds: processor time is counted in steps that are longer than one question. */
const ROUND = 30;
const ROUNDS = 10;
/** The state that is read beside. */
export const PEER = '/http/peer/one';

/** Asks every kind of question, about states at random. @param pids of the server and its database */
export async function askAll(
  url: string,
  states: number,
  pids: readonly number[],
): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (const { what, targetOf } of QUESTIONS) {
    const [took, peers]: [number[], number[]] = [[], []];
    let [found, cpu] = [0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await cpuOfAll(pids);
      for (let n = 0; n < ROUND; n += 1) {
        const target = `/api/v1/explore?limit=100&${targetOf(Math.floor(Math.random() * states))}`;
        const { ms, text } = await timed(url, target);
        took.push(ms);
        found = (JSON.parse(text) as { readonly states: readonly unknown[] }).states.length;
      }
      cpu += (await cpuOfAll(pids)) - before;
      for (let n = 0; n < ROUND; n += 1) peers.push((await timed(url, PEER)).ms);
    }
    const [p50, p99] = [at(took, 0.5), at(took, 0.99)];
    const cpuMs = (cpu * 1_000) / (ROUND * ROUNDS);
    asked.push({ what, found, p50, p99, peerP50: at(peers, 0.5), peerP99: at(peers, 0.99), cpuMs });
    progress(`explore: ${JSON.stringify(asked.at(-1))}`);
  }
  return asked;
}

/** Asks one thing until something has happened. @returns how long each answer took, in milliseconds */
export async function askWhile(
  url: string,
  target: string,
  until: Promise<unknown>,
): Promise<readonly number[]> {
  const took: number[] = [];
  const over = until.then(() => true);
  const pause = (): Promise<boolean> => new Promise((resolve) => setTimeout(() => resolve(false), 5));
  do took.push((await timed(url, target)).ms);
  while (!(await Promise.race([over, pause()])));
  return took;
}

/** What so much of the numbers lies below. */
export function at(numbers: readonly number[], share: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(share * (numbers.length - 1))] ?? 0;
}

async function timed(url: string, target: string): Promise<{ ms: number; text: string }> {
  const began = performance.now();
  const { status, text } = await ask(url, 'GET', target);
  if (status !== 200) throw new Error(`GET ${target} was answered ${status}: ${text}`);
  return { ms: performance.now() - began, text };
}

async function cpuOfAll(roots: readonly number[]): Promise<number> {
  const trees = await Promise.all(roots.map(processesOf));
  return cpuOf(trees.flat());
}
