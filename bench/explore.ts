import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Section } from './section.ts';
import { markdownTable, megabytes, milliseconds } from './table.ts';

const ROOT = dirname(createRequire(import.meta.url).resolve('statehouse-server/package.json'));
/** `EXPLORE_STATES=20000 npm run bench -- explore` for a smaller house. */
const STATES = process.env['EXPLORE_STATES'] ?? '100000';

/** What the program beside this one prints. */
interface Measured {
  readonly resources: number;
  readonly asked: number;
  /** Of one state. */
  readonly words: number;
  readonly fillMs: number;
  readonly size: number;
  readonly rows: readonly {
    readonly what: string;
    readonly found: number;
    readonly p50: number;
    readonly p99: number;
  }[];
}

/** (k) Something is found among all states. */
export async function explore(): Promise<Section> {
  const program = join(ROOT, 'bench', 'explore-measure.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program, STATES]);
  const { resources, asked, words, fillMs, size, rows } = JSON.parse(stdout) as Measured;
  return {
    name: 'explore',
    title: 'Finding what is in states',
    text:
      `${STATES} states of ${resources} resources in the embedded engine, ${words} words each; ${asked} questions of each kind, one after the other, over HTTP, pages of 100. ` +
      `The database has ${megabytes(size)}; filling the index took ${milliseconds(fillMs)} a state, without reading the states themselves.`,
    table: markdownTable(
      ['asked', 'states on the page', 'p50', 'p99', 'target'],
      rows.map(({ what, found, p50, p99 }) => [
        what,
        String(found),
        milliseconds(p50),
        milliseconds(p99),
        '200 ms',
      ]),
    ),
  };
}
