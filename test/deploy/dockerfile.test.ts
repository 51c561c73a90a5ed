import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findCommand } from '../../src/cli/find-command.ts';
import { findOnPath } from '../support/find-program.ts';
import { RunningProgram } from '../support/running-program.ts';

// The image cannot be built wherever the tests run, so the file is read here as a builder would read it.

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(at(path), 'utf8');
const hadolint = await findOnPath('hadolint');

/** All of https://docs.docker.com/reference/dockerfile/ but MAINTAINER, which is deprecated, and ADD, for which COPY does. */
const KNOWN = new Set(
  'ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

interface Instruction {
  readonly name: string;
  readonly rest: string;
  readonly line: number;
}
interface Stage {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** The instructions of a Dockerfile, with their continued lines put together. */
function instructionsOf(text: string): readonly Instruction[] {
  const found: Instruction[] = [];
  let open = '';
  let from = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    if (open === '') from = index + 1;
    open += line.replace(/\s*\\$/, ' ');
    if (line.endsWith('\\')) continue;
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(open.trim()) ?? [];
    found.push({ name, rest: rest.replaceAll(/\s+/g, ' '), line: from });
    open = '';
  }
  return found;
}

function stagesOf(instructions: readonly Instruction[]): readonly Stage[] {
  const stages: { name: string; instructions: Instruction[] }[] = [];
  for (const instruction of instructions) {
    if (instruction.name === 'FROM')
      stages.push({ name: / AS (\S+)$/i.exec(instruction.rest)?.[1] ?? '', instructions: [] });
    stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** What is wrong, a sentence each. */
function lint(text: string): readonly string[] {
  const instructions = instructionsOf(text);
  const stages = stagesOf(instructions);
  const last = stages.at(-1)?.instructions ?? [];
  const problems: string[] = [];
  const args = new Set<string>();
  for (const [index, { name, rest, line }] of instructions.entries()) {
    const say = (what: string): void => void problems.push(`line ${line}: ${what}`);
    if (!KNOWN.has(name)) say(`unknown instruction "${name}"`);
    if (index === 0 && name !== 'ARG' && name !== 'FROM') say('neither ARG nor FROM comes first');
    if (name === 'ARG') args.add(/^\w+/.exec(rest)?.[0] ?? '');
    if (name === 'FROM')
      for (const [, used = ''] of rest.matchAll(/\$\{(\w+)\}/g)) if (!args.has(used)) say(`unknown ${used}`);
    const from = /^--from=(\S+)/.exec(rest)?.[1];
    if (from !== undefined && !stages.some((stage) => stage.name === from)) say(`unknown stage "${from}"`);
    if (name === 'WORKDIR' && !rest.startsWith('/')) say('WORKDIR is not absolute');
    if (['CMD', 'ENTRYPOINT'].includes(name) && wordsOf(rest) === null) say(`${name} would run in a shell`);
    if (name === 'HEALTHCHECK' && wordsOf(rest.replace(/^.* CMD /, '')) === null)
      say('HEALTHCHECK would run in a shell');
    if (name === 'RUN' && /\bsudo\b|\bcurl\b|\bwget\b|\bnpm i(?:nstall)?\b|chmod 777/.test(rest))
      say('RUN fetches what no lock file names');
    if (name === 'RUN' && /\bnpm (?:ci|prune)\b(?![^&|;]*--ignore-scripts)/.test(rest))
      say('npm would run install scripts');
    if (['ENV', 'ARG'].includes(name) && /(?:SECRET|PASSWORD|TOKEN|MASTER_KEY|CREDENTIAL)\w*=/.test(rest))
      say(`${name} keeps a secret in the image`);
  }
  const of = (name: string): readonly string[] =>
    last.filter((each) => each.name === name).map(({ rest }) => rest);
  if (!/^[1-9]\d*(?::[1-9]\d*)?$/.test(of('USER').at(-1) ?? ''))
    problems.push('the last USER is not the number of a user');
  for (const name of ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'])
    if (of(name).length !== 1) problems.push(`${of(name).length} ${name} in the image, expected one`);
  const user = last.findIndex(({ name }) => name === 'USER');
  if (last.some(({ name }, index) => index > user && (name === 'RUN' || name === 'COPY')))
    problems.push('files are made after USER');
  return problems;
}

/** The words of an instruction in JSON form; null for the shell form. */
function wordsOf(rest: string): readonly string[] | null {
  try {
    return JSON.parse(rest) as readonly string[];
  } catch {
    return null;
  }
}

describe('the Dockerfile', () => {
  const text = read('deploy/Dockerfile');
  const instructions = instructionsOf(text);
  const image = stagesOf(instructions).at(-1)?.instructions ?? [];
  const all = (name: string, among = instructions): readonly string[] =>
    among.filter((each) => each.name === name).map(({ rest }) => rest);

  it('has nothing wrong with it', () => {
    expect(lint(text)).toEqual([]);
  });

  it('is held against rules that find what is wrong', () => {
    const good = text.trimEnd().split('\n');
    const broken: readonly (readonly [line: string, says: string])[] = [
      ['ADD https://example.com/x /x', 'unknown instruction "ADD"'],
      ['FORM node', 'unknown instruction "FORM"'],
      ['COPY --from=builder /a /a', 'unknown stage "builder"'],
      ['FROM ${BAES}', 'unknown BAES'],
      ['WORKDIR here', 'WORKDIR is not absolute'],
      ['CMD serve', 'CMD would run in a shell'],
      ['RUN npm ci', 'npm would run install scripts'],
      ['RUN npm install x', 'no lock file'],
      ['ENV STATEHOUSE_MASTER_KEY=x', 'keeps a secret'],
      ['USER root', 'not the number of a user'],
      ['USER 0', 'not the number of a user'],
      ['RUN touch /x', 'files are made after USER'],
    ];
    for (const [line, says] of broken)
      expect(lint([...good, line].join('\n')).join('\n'), line).toContain(says);
  });

  it('copies what is there and what is sent to the builder', () => {
    const copied = all('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(copied.filter((path) => !existsSync(at(path)))).toEqual([]);
    const ignore = read('deploy/Dockerfile.dockerignore').split('\n');
    const sent = new Set(ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1)));
    expect(copied.filter((path) => !sent.has(path.replace('./', '')))).toEqual([]);
    // The page is part of the program once there is one.
    expect(copied.includes('web')).toBe(existsSync(at('web')));
  });

  it('runs scripts that are there', () => {
    const { scripts, bin } = JSON.parse(read('package.json')) as {
      scripts: Readonly<Record<string, string>>;
      bin: { statehouse: string };
    };
    const run = all('RUN').join('\n');
    for (const [, script = ''] of run.matchAll(/npm run (\S+)/g))
      expect(Object.keys(scripts)).toContain(script);
    for (const [, path = ''] of run.matchAll(/node (\S+\.mjs)/g))
      expect(existsSync(at(path)), path).toBe(true);
    expect(wordsOf(all('ENTRYPOINT')[0]!)).toEqual(['node', `/statehouse/${bin.statehouse}`]);
    expect(findCommand(wordsOf(all('CMD')[0]!)!)).not.toBeNull();
  });

  it('listens at the port that it exposes, keeps its data in its volume, and asks there whether it is well', () => {
    const [environment = ''] = all('ENV', image);
    const port = /STATEHOUSE_LISTEN=\S+:(\d+)/.exec(environment)?.[1];
    expect(all('EXPOSE', image)).toEqual([port]);
    const data = /STATEHOUSE_DATA=(\S+)/.exec(environment)?.[1];
    expect(all('VOLUME', image)).toEqual([data]);
    expect(all('RUN', image).join('\n')).toContain(`chown ${all('USER', image)[0]} ${data}`);
    expect(all('HEALTHCHECK', image)[0]).toContain(`http://127.0.0.1:${port}/healthz`);
  });

  it('has shell and JavaScript that can be read', async () => {
    const cwd = at('deploy');
    const check = async (program: string, words: readonly string[], input: string): Promise<void> => {
      const { code, output } = await new RunningProgram(program, words, { cwd, env: process.env, input }).end;
      expect(code, output).toBe(0);
    };
    for (const rest of all('RUN')) await check('/bin/sh', ['-n'], rest);
    const health = wordsOf(all('HEALTHCHECK')[0]!.replace(/^.* CMD /, ''))!;
    expect(health.slice(0, 2)).toEqual(['node', '-e']);
    await check(process.execPath, ['--check', '-'], health[2]!);
  });

  it.skipIf(hadolint === null)('is good to hadolint (skipped unless hadolint is on PATH)', async () => {
    const { code, output } = await new RunningProgram(hadolint!, [at('deploy/Dockerfile')], {
      cwd: at('deploy'),
      env: process.env,
    }).end;
    expect(code, output).toBe(0);
  });
});
