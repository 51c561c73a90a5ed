import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { RunningProgram, type ProgramEnd } from './running-program.ts';

/** Terraform on PATH; null where tests that need it are skipped, aloud. Missing in CI is a failure. */
export function findTerraform(): Promise<string | null> {
  return findProgram('terraform');
}

/** What keeps a test's Terraform to itself: no account, no configuration, no network beyond loopback. */
const QUIET_ENVIRONMENT = {
  CHECKPOINT_DISABLE: '1',
  TF_CLI_CONFIG_FILE: '/dev/null',
  TF_IN_AUTOMATION: '1',
  TF_INPUT: '0',
  TF_CLI_ARGS: '-no-color',
  NO_PROXY: '*',
} as const;

export interface TerraformOptions {
  /** Files of the folder, by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Variables besides those of this process, such as `TF_HTTP_USERNAME`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A Terraform folder of its own, in a temporary directory. */
export class TerraformFolder implements AsyncDisposable {
  readonly path: string;
  readonly #program: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #running = new Set<RunningProgram>();

  private constructor(program: string, path: string, env: Readonly<Record<string, string>>) {
    this.#program = program;
    this.path = path;
    this.#env = env;
  }

  /** Makes a folder. @param program what {@link findTerraform} gave */
  static async make(program: string, options: TerraformOptions = {}): Promise<TerraformFolder> {
    const path = await mkdtemp(join(tmpdir(), 'statehouse-terraform-'));
    const folder = new TerraformFolder(program, path, options.env ?? {});
    for (const [name, text] of Object.entries(options.files ?? {})) await folder.write(name, text);
    return folder;
  }

  /** The same folder once more, initialised as this one is: another colleague's checkout. */
  async copy(env: Readonly<Record<string, string>> = this.#env): Promise<TerraformFolder> {
    const path = await mkdtemp(join(tmpdir(), 'statehouse-terraform-'));
    await cp(this.path, path, { recursive: true });
    return new TerraformFolder(this.#program, path, env);
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, name), text);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name));
  }

  /** The text of a file, or null when there is none. */
  async read(name: string): Promise<string | null> {
    return readFile(join(this.path, name), 'utf8').catch((fault: NodeJS.ErrnoException) => {
      if (fault.code === 'ENOENT') return null;
      throw fault;
    });
  }

  /** Starts `terraform ARGS…` and does not wait for it. */
  start(
    args: readonly string[],
    { input, env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
  ): RunningProgram {
    const run = new RunningProgram(this.#program, args, {
      cwd: this.path,
      env: { ...withoutTerraform(process.env), ...QUIET_ENVIRONMENT, ...this.#env, ...env },
      ...(input === undefined ? {} : { input }),
    });
    this.#running.add(run);
    void run.end.finally(() => this.#running.delete(run));
    return run;
  }

  /** Runs `terraform ARGS…` to its end, whatever that is. */
  run(...args: readonly string[]): Promise<ProgramEnd> {
    return this.start(args).end;
  }

  /**
   * Runs `terraform ARGS…`, which must succeed.
   * @returns its standard output
   * @throws with all that it said when it fails
   */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, output } = await this.run(...args);
    if (code !== 0) throw new Error(`terraform ${args.join(' ')} ended with ${code}:\n${output}`);
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#running) {
      run.signal('SIGCONT');
      run.signal('SIGKILL');
    }
    await Promise.all([...this.#running].map(({ end }) => end));
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Whoever runs the tests may have settings of their own, which must not reach a test's Terraform. */
function withoutTerraform(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^TF_|^AWS_|^STATEHOUSE_/.test(name)));
}
