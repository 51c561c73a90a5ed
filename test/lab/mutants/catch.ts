import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from '../../core/rules/exploration/mutants.ts';

/** The compiled lab, and a copy of it whose engine decides by a mutant. */
const BUILD: string = fileURLToPath(new URL('../../../', import.meta.url));
const COPY: string = fileURLToPath(new URL('../../../../build-mutants/', import.meta.url));
const ENGINE: string = `${COPY}src/engines/memory/engine.js`;

/**
 * Puts every mutant into a lab of its own, in a process of its own, and says by which seed it is caught.
 * @returns those that no seed catches
 * @throws where the lab fails without any mutant: then it says nothing of them
 */
export function catchMutants(seeds: number): readonly string[] {
  rmSync(COPY, { recursive: true, force: true });
  cpSync(BUILD, COPY, { recursive: true });
  const engine = readFileSync(ENGINE, 'utf8');
  writeFileSync(ENGINE, engine.replace("'../../core/decide.js'", "'../../../test/lab/mutants/decide.js'"));
  const control = run('', seeds);
  if (!control.endsWith(' 0 failed\n')) throw new Error(`the lab fails without a mutant: ${control}`);
  return Object.keys(MUTANTS).filter((name) => {
    const [, seed = `not in ${seeds}`, rule = ''] = /^seed (\d+): (.*?):/.exec(run(name, seeds)) ?? [];
    console.log(`| ${name} | ${seed} | ${rule} |`);
    return rule === '';
  });
}

function run(mutant: string, seeds: number): string {
  const env = { ...process.env, STATEHOUSE_LAB_MUTANT: mutant };
  const args = [`${COPY}test/lab/main.js`, '--seeds', `${seeds}`, '--first'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  if (stdout === '') throw new Error(`the lab ended without a word: ${stderr}`);
  return stdout;
}
