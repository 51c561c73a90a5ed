import { tmpdir } from 'node:os';
import { eventually } from './eventually.ts';
import { findGoProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { RunningProgram } from './running-program.ts';

/** On PATH, or where `go install github.com/fsouza/fake-gcs-server@latest` puts it; null where tests are skipped, aloud. */
export function findFakeGcs(): Promise<string | null> {
  return findGoProgram('fake-gcs-server');
}

/** Cloud Storage in memory, by others, forgotten when it ends. It heeds no condition of a deletion. */
export class FakeGcsServer implements AsyncDisposable {
  readonly url: string;
  readonly #run: RunningProgram;

  private constructor(url: string, run: RunningProgram) {
    this.url = url;
    this.#run = run;
  }

  static async start(program: string): Promise<FakeGcsServer> {
    const port = await freePort();
    const host = `127.0.0.1:${port}`;
    const words = ['-backend', 'memory', '-scheme', 'http', '-host', '127.0.0.1', '-log-level', 'error'];
    const run = new RunningProgram(program, [...words, '-port', String(port), '-public-host', host], {
      cwd: tmpdir(),
      env: process.env,
    });
    const url = `http://${host}`;
    await eventually('fake-gcs-server answers', () =>
      fetch(`${url}/storage/v1/b?project=test`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    return new FakeGcsServer(url, run);
  }

  get endpoint(): string {
    return `${this.url}/storage/v1/`;
  }

  async makeBucket(name: string, versioned: boolean): Promise<void> {
    const answer = await fetch(`${this.endpoint}b?project=test`, {
      method: 'POST',
      body: JSON.stringify({ name, versioning: { enabled: versioned } }),
    });
    if (!answer.ok) throw new Error(`${name} was not made: ${answer.status}`);
  }

  get pid(): number {
    return this.#run.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.signal('SIGKILL');
    await this.#run.end;
  }
}
