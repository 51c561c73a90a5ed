import { tmpdir } from 'node:os';
import { eventually } from './eventually.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { RunningProgram } from './running-program.ts';

const START_MS_MAX = 60_000;

/** `moto_server` on PATH; null where tests that need it are skipped, aloud. Missing in CI is a failure. */
export function findMoto(): Promise<string | null> {
  return findProgram('moto_server');
}

/** moto: S3, DynamoDB, STS and IAM of one's own, forgotten when it ends. */
export class MotoServer implements AsyncDisposable {
  readonly url: string;
  readonly #run: RunningProgram;

  private constructor(url: string, run: RunningProgram) {
    this.url = url;
    this.#run = run;
  }

  static async start(program: string): Promise<MotoServer> {
    const port = await freePort();
    const run = new RunningProgram(program, ['-H', '127.0.0.1', '-p', String(port)], {
      cwd: tmpdir(),
      env: { ...process.env, PYTHONWARNINGS: 'ignore' },
    });
    const url = `http://127.0.0.1:${port}`;
    await eventually(
      'moto_server answers',
      () =>
        fetch(`${url}/moto-api/`).then(
          (answer) => answer.ok,
          () => false,
        ),
      START_MS_MAX,
    );
    return new MotoServer(url, run);
  }

  /** What clients of any kind need to reach it and nothing else. */
  get env(): Readonly<Record<string, string>> {
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: 'testing',
      AWS_SECRET_ACCESS_KEY: 'testing',
      AWS_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    };
  }

  get pid(): number {
    return this.#run.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.signal('SIGKILL');
    await this.#run.end;
  }
}
