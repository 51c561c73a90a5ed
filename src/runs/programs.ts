import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { RUN_PROGRAMS, type RunProgram } from './records.ts';

/** A program that runs can be executed with. */
export interface InstalledProgram {
  readonly program: RunProgram;
  readonly version: string;
  /** Without links. */
  readonly path: string;
}

export type ProgramAnswer =
  | ({ readonly type: 'found' } & InstalledProgram)
  | { readonly type: 'missing'; readonly problem: string };

const NAME = new RegExp(`^(${RUN_PROGRAMS.join('|')})_(\\d+\\.\\d+\\.\\d+(?:-[0-9A-Za-z.]+)?)$`);
const ASK_MS = 20_000;

/**
 * The programs that are installed, each in several versions side by side: files or directories of a directory, called
 * `terraform_1.11.4` or `tofu_1.9.0`; without such a directory, those on the path.
 */
export class RunPrograms {
  readonly #directory: string | null;
  readonly #path: string;
  #onPath: Promise<readonly InstalledProgram[]> | null = null;

  /** @param path directories as in PATH, asked where no directory of programs is given */
  constructor(directory: string | null, path: string) {
    this.#directory = directory;
    this.#path = path;
  }

  /** @param version null for the newest */
  async find(program: RunProgram, version: string | null): Promise<ProgramAnswer> {
    const all = await this.list();
    const fitting = all
      .filter((one) => one.program === program && (version === null || one.version === version))
      .toSorted((a, b) => compareVersions(b.version, a.version));
    const [best] = fitting;
    if (best !== undefined) return { type: 'found', ...best };
    const wanted = version === null ? program : `${program} ${version}`;
    const there = all
      .map((one) => `${one.program} ${one.version}`)
      .toSorted()
      .join(', ');
    const place =
      this.#directory === null
        ? 'Have the server find it on its PATH, or give it a directory of versions with --run-programs.'
        : `Put it into the directory of --run-programs as ${program}_${version ?? 'VERSION'}.`;
    const known = there === '' ? 'there is no other' : `it has ${there}`;
    return { type: 'missing', problem: `${wanted} is not installed on the server: ${known}. ${place}` };
  }

  /** All that are installed. */
  list(): Promise<readonly InstalledProgram[]> {
    if (this.#directory !== null) return inDirectory(this.#directory);
    this.#onPath ??= onPath(this.#path);
    return this.#onPath;
  }
}

async function inDirectory(directory: string): Promise<readonly InstalledProgram[]> {
  const names = await readdir(directory).catch(() => []);
  const found = await Promise.all(
    names.map(async (name): Promise<readonly InstalledProgram[]> => {
      const [, program = '', version = ''] = NAME.exec(name) ?? [];
      if (!isProgram(program)) return [];
      const place = join(directory, name);
      const isFolder = (await stat(place).catch(() => null))?.isDirectory() === true;
      const path = await executable(isFolder ? join(place, program) : place);
      return path === null ? [] : [{ program, version, path }];
    }),
  );
  return found.flat();
}

async function onPath(path: string): Promise<readonly InstalledProgram[]> {
  const found: InstalledProgram[] = [];
  for (const program of RUN_PROGRAMS) {
    const place = await findOnPath(program, path);
    const version = place === null ? null : await versionOf(place);
    if (place !== null && version !== null) found.push({ program, version, path: place });
  }
  return found;
}

/** The first of that name in directories as in PATH; null where there is none. */
export async function findOnPath(name: string, path: string): Promise<string | null> {
  for (const directory of path.split(delimiter).filter((part) => part !== '')) {
    const place = await executable(join(directory, name));
    if (place !== null) return place;
  }
  return null;
}

async function executable(path: string): Promise<string | null> {
  try {
    await access(path, constants.X_OK);
    return await realpath(path);
  } catch {
    return null;
  }
}

async function versionOf(path: string): Promise<string | null> {
  const env = { CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null' };
  try {
    const { stdout } = await promisify(execFile)(path, ['version', '-json'], {
      env,
      timeout: ASK_MS,
      cwd: '/',
    });
    const told: unknown = JSON.parse(stdout);
    const version: unknown =
      typeof told === 'object' && told !== null && 'terraform_version' in told
        ? told.terraform_version
        : null;
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
}

function isProgram(text: string): text is RunProgram {
  return (RUN_PROGRAMS as readonly string[]).includes(text);
}

/** A release comes after its candidates. */
export function compareVersions(a: string, b: string): number {
  const [left = '', leftCandidate] = a.split(/-(.*)/s);
  const [right = '', rightCandidate] = b.split(/-(.*)/s);
  const [numbers, others] = [left.split('.').map(Number), right.split('.').map(Number)];
  const difference = [0, 1, 2].map((part) => (numbers[part] ?? 0) - (others[part] ?? 0)).find((d) => d !== 0);
  if (difference !== undefined) return difference;
  if (leftCandidate === undefined || rightCandidate === undefined)
    return (leftCandidate === undefined ? 1 : 0) - (rightCandidate === undefined ? 1 : 0);
  return leftCandidate.localeCompare(rightCandidate, 'en', { numeric: true });
}
