import { tmpdir } from 'node:os';
import { eventually } from './eventually.ts';
import { findGoProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { RunningProgram } from './running-program.ts';

/** On PATH, or where Go installs programs; null where tests are skipped, aloud. */
export function findConsul(): Promise<string | null> {
  return findGoProgram('consul');
}

/** HashiCorp's Consul in memory, one server, without ACLs; forgotten when it ends. */
export class ConsulAgent implements AsyncDisposable {
  /** As a backend block has it. */
  readonly address: string;
  readonly #run: RunningProgram;

  private constructor(address: string, run: RunningProgram) {
    this.address = address;
    this.#run = run;
  }

  static async start(program: string, config = ''): Promise<ConsulAgent> {
    const [http, server, serf] = [await freePort(), await freePort(), await freePort()];
    const ports = `ports { dns = -1 grpc = -1 grpc_tls = -1 serf_wan = -1 http = ${http} server = ${server} serf_lan = ${serf} }`;
    const words = ['agent', '-dev', '-bind', '127.0.0.1', '-client', '127.0.0.1', '-log-level', 'error'];
    const hcl = ['-hcl', ports, ...(config === '' ? [] : ['-hcl', config])];
    const run = new RunningProgram(program, [...words, ...hcl], {
      cwd: tmpdir(),
      env: { ...process.env, CHECKPOINT_DISABLE: '1' },
    });
    const address = `127.0.0.1:${http}`;
    await eventually('Consul has a leader and its own node', async () => {
      try {
        const [leader, nodes] = await Promise.all(
          ['status/leader', 'catalog/nodes'].map(async (path) =>
            (await fetch(`http://${address}/v1/${path}`)).text(),
          ),
        );
        return /\d/.test(leader ?? '') && /"Node"/.test(nodes ?? '');
      } catch {
        return false;
      }
    });
    return new ConsulAgent(address, run);
  }

  /** What its API answers, as JSON. */
  async ask(method: string, path: string, body?: string): Promise<unknown> {
    const given = body === undefined ? {} : { body };
    const answer = await fetch(`http://${this.address}/v1/${path}`, { method, ...given });
    const text = await answer.text();
    return text === '' ? null : (JSON.parse(text) as unknown);
  }

  get pid(): number {
    return this.#run.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.signal('SIGKILL');
    await this.#run.end;
  }
}
