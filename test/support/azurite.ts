import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { findOnPath, runnable } from './find-program.ts';
import { freePort } from './free-port.ts';
import { RunningProgram } from './running-program.ts';

const NAME = 'azurite-blob';
const PACKAGE = 'azurite@3.33.0';
/** It is too large to come with every installation of this repository: 120 MB. */
const FOLDER: string = join(tmpdir(), `statehouse-${PACKAGE}`);

/** It reads many files, which takes its time on a busy machine. */
const START_MS_MAX = 60_000;

/** The account that Azurite has by itself; its key is in Azurite's documentation. */
export const AZURITE_ACCOUNT = 'devstoreaccount1';
export const AZURITE_KEY: string =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** On PATH, or where a test has installed it, as one does with CI=true; null where tests are skipped, aloud. */
export async function findAzurite(): Promise<string | null> {
  const own = join(FOLDER, 'node_modules', '.bin', NAME);
  const found = (await findOnPath(NAME)) ?? (await runnable(own));
  if (found !== null || process.env['CI'] !== 'true') return found;
  const made = await mkdtemp(`${FOLDER}-`);
  const words = ['install', '--prefix', made, '--ignore-scripts', '--no-audit', '--no-fund', PACKAGE];
  await promisify(execFile)('npm', words, { timeout: 300_000 });
  // The test of another file may have been first.
  await rename(made, FOLDER).catch(() => rm(made, { recursive: true, force: true }));
  return own;
}

/** Microsoft's emulator of Azure's blobs, in memory; forgotten when it ends. */
export class Azurite implements AsyncDisposable {
  /** Where the account's blobs are, without a slash at the end. */
  readonly endpoint: string;
  readonly #run: RunningProgram;
  readonly #folder: string;

  private constructor(endpoint: string, run: RunningProgram, folder: string) {
    this.endpoint = endpoint;
    this.#run = run;
    this.#folder = folder;
  }

  static async start(program: string): Promise<Azurite> {
    const port = await freePort();
    const folder = await mkdtemp(join(tmpdir(), 'statehouse-azurite-'));
    const where = ['--blobHost', '127.0.0.1', '--blobPort', String(port)];
    const how = ['--inMemoryPersistence', '--silent', '--skipApiVersionCheck'];
    const run = new RunningProgram(program, [...where, ...how], {
      cwd: folder,
      env: process.env,
    });
    const url = `http://127.0.0.1:${port}`;
    await eventually(
      'Azurite answers',
      () =>
        fetch(url).then(
          () => true,
          () => false,
        ),
      START_MS_MAX,
    );
    return new Azurite(`${url}/${AZURITE_ACCOUNT}`, run, folder);
  }

  get pid(): number {
    return this.#run.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.signal('SIGKILL');
    await this.#run.end;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
