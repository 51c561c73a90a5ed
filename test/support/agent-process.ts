import { createRequire } from 'node:module';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RunningProgram, type ProgramEnd } from './running-program.ts';

const MANIFEST = createRequire(import.meta.url).resolve('statehouse-server/package.json');
const MAIN = join(dirname(MANIFEST), 'dist', 'cli', 'main.js');

/** `statehouse agent`, as it was built, in a process of its own: it can be killed. */
export class AgentProcess implements AsyncDisposable {
  readonly #directory: string;
  readonly #run: RunningProgram;

  private constructor(directory: string, run: RunningProgram) {
    this.#directory = directory;
    this.#run = run;
  }

  /** @param flags such as `--run-slots=2` */
  static async start(url: string, token: string, flags: readonly string[] = []): Promise<AgentProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-agent-'));
    const words = [MAIN, 'agent', '--isolation=process', `--run-directory=${directory}`, ...flags];
    const env = {
      PATH: process.env['PATH'],
      STATEHOUSE_SERVER: url,
      STATEHOUSE_CREDENTIAL: token,
      AGENTS_OWN_SECRET: 'not-for-runs',
    };
    return new AgentProcess(directory, new RunningProgram(process.execPath, words, { cwd: directory, env }));
  }

  /** @returns how it ended */
  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<ProgramEnd> {
    this.#run.signal(signal);
    return this.#run.end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
