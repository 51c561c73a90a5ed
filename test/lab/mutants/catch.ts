import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from '../../core/rules/exploration/mutants.ts';
import { PATCHES } from './patches.ts';

/** The compiled lab, and a copy of it that is broken on purpose. */
const BUILD: string = fileURLToPath(new URL('../../../', import.meta.url));
const COPY: string = fileURLToPath(new URL('../../../../build-mutants/', import.meta.url));
const ENGINE: string = `${COPY}src/engines/memory/engine.js`;

/** Of what no client of the lab does: leases and deleted states. */
const NOT_ASKED: ReadonlySet<string> = new Set([
  'a hold that goes on after its end',
  'a hold that ends too early',
  'a delay that nobody keeps',
  'a renewal that forgets the hold',
  'a state that comes back under a holder',
]);

/**
 * Puts every mutant into a lab of its own, in a process of its own, and says by which seed it is caught.
 * @param only a part of the names of those that are tried
 * @returns those that no seed catches
 * @throws where the lab fails without any mutant: then it says nothing of them
 */
export function catchMutants(seeds: number, only: string): readonly string[] {
  rmSync(COPY, { recursive: true, force: true });
  cpSync(BUILD, COPY, { recursive: true });
  replaceIn(ENGINE, "'../../core/decide.js'", "'../../../test/lab/mutants/decide.js'");
  const control = run('', Math.min(seeds, CONTROL_SEEDS));
  if (!control.endsWith(' 0 failed\n')) throw new Error(`the lab fails without a mutant: ${control}`);
  const names = [...Object.keys(PATCHES), ...Object.keys(MUTANTS)];
  return names
    .filter((name) => name.includes(only) && !NOT_ASKED.has(name))
    .filter((name) => {
      const [, seed = `not in ${seeds}`, rule = ''] = /^seed (\d+): (.*?):/m.exec(broken(name, seeds)) ?? [];
      console.log(`| ${name} | ${seed} | ${rule} |`);
      return rule === '';
    });
}

/** Enough to show that the copy itself is whole. */
const CONTROL_SEEDS = 50;

function broken(name: string, seeds: number): string {
  const patch = PATCHES[name];
  if (patch === undefined) return run(name, seeds);
  const { file, from, to } = patch;
  replaceIn(`${COPY}${file}`, from, to);
  try {
    return run('', seeds);
  } finally {
    cpSync(`${BUILD}${file}`, `${COPY}${file}`);
  }
}

function replaceIn(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

function run(mutant: string, seeds: number): string {
  const env = { ...process.env, STATEHOUSE_LAB_MUTANT: mutant };
  const args = [`${COPY}test/lab/main.js`, '--seeds', `${seeds}`, '--first'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (stdout === '') throw new Error(`the lab ended without a word: ${stderr}`);
  return stdout;
}
