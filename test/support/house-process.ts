import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { RunningProgram, type ProgramEnd } from './running-program.ts';
import { TEST_ADMIN } from './test-admin.ts';
import { newTestSchema } from './test-database.ts';

/** The package itself, wherever this module was compiled to. */
const MANIFEST = createRequire(import.meta.url).resolve('statehouse-server/package.json');
const MAIN = join(dirname(MANIFEST), 'dist', 'program', 'cli.main.cjs');
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;

export interface HouseProcessOptions {
  /** More flags of `serve`, such as `--keep-versions=3`. */
  readonly flags?: readonly string[];
  /** More of the environment, such as `LD_PRELOAD`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of node itself, such as `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
  /** Another program than the built one run by this Node, such as the single executable. */
  readonly program?: string;
  /** Where to keep data; by default a temporary directory that goes with the process. */
  readonly directory?: string;
}

/** `statehouse serve`, as it was built, in a process of its own: it can be killed and started again on the same data. */
export class HouseProcess implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly url: string;
  readonly #options: HouseProcessOptions;
  /** Where to keep everything instead of the directory, and the key for it. */
  readonly #schema: ReturnType<typeof newTestSchema>;
  #run: RunningProgram | null = null;

  private constructor(directory: string, port: number, options: HouseProcessOptions) {
    this.directory = directory;
    this.port = port;
    this.#options = options;
    const isToldWhere =
      options.directory !== undefined || (options.flags ?? []).some((flag) => flag.startsWith('--database'));
    this.#schema = isToldWhere ? null : newTestSchema();
    const secure = (options.flags ?? []).some((flag) => flag.startsWith('--tls'));
    this.url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`;
  }

  /** Starts a house on a free port. Resolves once it is open. */
  static async start(options: HouseProcessOptions = {}): Promise<HouseProcess> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'statehouse-house-')));
    const house = new HouseProcess(directory, await freePort(), options);
    await house.launch();
    return house;
  }

  get pid(): number {
    return this.#run?.pid ?? -1;
  }

  /** What it has said so far: its logs, and why it ended. */
  get output(): string {
    return this.#run?.output ?? '';
  }

  /** Starts the house again, on the same port and data. Resolves once it is open. */
  async launch(): Promise<void> {
    const run = this.#spawn();
    await eventually('the house opens', () => isOpen(run) || !run.running, START_MS_MAX);
    if (run.running) return;
    const { code, output } = await run.end;
    throw new Error(`the house ended with ${code}:\n${output}`);
  }

  /** Starts a house that is expected to refuse. @returns how it ended */
  async refuses(): Promise<ProgramEnd> {
    const run = this.#spawn();
    await eventually('the house opens or ends', () => isOpen(run) || !run.running, START_MS_MAX);
    if (run.running) {
      await this.kill();
      throw new Error('the house opened');
    }
    return run.end;
  }

  /** `kill -9`. Resolves once the process is gone. */
  async kill(): Promise<void> {
    this.#run?.signal('SIGKILL');
    await this.#run?.end;
  }

  /** Tells the house to end well, and waits for that. @param signal another one, where the house was made to hear it */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProgramEnd | null> {
    const run = this.#run;
    if (run === null) return null;
    run.signal(signal);
    const lastResort = setTimeout(() => run.signal('SIGKILL'), STOP_MS_MAX);
    const end = await run.end;
    clearTimeout(lastResort);
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (this.#options.directory !== undefined) return;
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn(): RunningProgram {
    const { nodeFlags = [], flags = [], env = {}, program } = this.#options;
    const parameters = [
      ...(program === undefined ? [...nodeFlags, MAIN] : []),
      'serve',
      '--json',
      `--listen=127.0.0.1:${this.port}`,
      `--data=${this.directory}`,
      '--log-level=warn',
      ...(this.#schema === null ? [] : [`--database=${this.#schema.url}`]),
      ...flags,
    ];
    const run = new RunningProgram(program ?? process.execPath, parameters, {
      cwd: tmpdir(),
      env: {
        ...process.env,
        NODE_NO_WARNINGS: '1',
        // Tests break locks that were taken a moment ago.
        STATEHOUSE_BREAK_GUARD: '0',
        STATEHOUSE_ADMIN_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
        ...schemaKey(this.#schema),
        ...env,
      },
    });
    this.#run = run;
    return run;
  }
}

/** With `--json` it says one document on its standard output once its port is open. */
function isOpen({ stdout }: RunningProgram): boolean {
  return stdout.trimEnd().endsWith('}');
}

function schemaKey(schema: ReturnType<typeof newTestSchema>): Readonly<Record<string, string>> {
  return schema === null ? {} : { STATEHOUSE_MASTER_KEY: schema.masterKeys };
}
