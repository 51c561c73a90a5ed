import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Address } from '../../src/core/address.ts';
import type { RunStatus } from '../../src/core/runs/status.ts';
import type { Caller } from '../../src/house/caller.ts';
import type { Phase } from '../../src/runs/records.ts';
import type { Run } from '../../src/runs/run-book.ts';
import type { Runs } from '../../src/runs/runs.ts';
import type { RunWanted } from '../../src/runs/wanted.ts';
import type { Configuration, RunSettings } from '../../src/server/configuration.ts';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';

export const NET: Address = { project: 'app', key: 'net', workspace: 'default' };

/** A configuration that needs no provider, and says what it did. */
export const MAIN_TF = `
variable "name" { default = "al" }
resource "terraform_data" "a" { input = var.name }
output "o" { value = terraform_data.a.output }
`;

/** A tar archive, gzipped, of files by their paths; what is bytes is a program. */
export async function slugOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-slug-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      const mode = typeof content === 'string' ? 0o644 : 0o755;
      await writeFile(join(directory, path), content, { mode });
    }
    const { stdout } = await promisify(execFile)('tar', ['-czf', '-', '-C', directory, '.'], {
      encoding: 'buffer',
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A house that executes runs, in this process. */
export class RunningHouse implements AsyncDisposable {
  readonly house: TestHouse;
  readonly directory: string;

  private constructor(house: TestHouse, directory: string) {
    this.house = house;
    this.directory = directory;
  }

  static async open(
    settings: Partial<RunSettings> = {},
    more: Partial<Configuration> = {},
  ): Promise<RunningHouse> {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-runs-'));
    const runs = { ...DEFAULTS.runs, mode: 'local', directory, ...settings } as const;
    return new RunningHouse(await TestHouse.open({ ...more, runs }), directory);
  }

  get runs(): Runs {
    const { runs } = this.house;
    if (runs === null) throw new Error('this house executes no runs');
    return runs;
  }

  /** Uploads a configuration. @returns its id */
  async configuration(
    slug: Uint8Array,
    {
      address = NET,
      speculative = false,
      provisional = false,
    }: { address?: Address; speculative?: boolean; provisional?: boolean } = {},
  ): Promise<string> {
    const made = await this.runs.configurations.create(ADMIN_CALLER, address, { speculative, provisional });
    if (made.type !== 'created') throw new Error(`no configuration: ${made.type}`);
    const { id } = made.configuration;
    const taken = await this.runs.configurations.upload({}, id, chunksOf(slug));
    if (taken.type !== 'uploaded') throw new Error(`not uploaded: ${JSON.stringify(taken)}`);
    return id;
  }

  /** Makes a run of a configuration. */
  async run(
    configuration: string,
    wanted: Partial<RunWanted> = {},
    caller: Caller = ADMIN_CALLER,
  ): Promise<Run> {
    const made = await this.runs.create(caller, { ...WANTED, configuration, ...wanted });
    if (made.type !== 'created') throw new Error(`no run: ${JSON.stringify(made)}`);
    return made.run;
  }

  /** The run as it is now. */
  async show(id: string): Promise<Run> {
    const answer = await this.runs.show(ADMIN_CALLER, id, true);
    if (answer.type !== 'shown') throw new Error(`no run: ${answer.type}`);
    return answer.run;
  }

  /** Waits until a run is in one of these. */
  async until(id: string, ...statuses: readonly RunStatus[]): Promise<Run> {
    await eventually(
      `the run is ${statuses.join(' or ')}`,
      async () => {
        // As a client does, which reads the log and then the run: an apply without a question waits for that.
        await this.runs.log(id, 'plan', { offset: 1e12, limit: 1 }, { wait: 0 });
        const { status } = await this.show(id);
        return statuses.includes(status);
      },
      60_000,
    );
    return this.show(id);
  }

  /** All that a phase has said so far, without the marks of its beginning and end. */
  async log(id: string, phase: Phase): Promise<string> {
    const stretch = await this.runs.log(id, phase, { offset: 0, limit: 100_000_000 }, { wait: 0 });
    return Buffer.from(stretch?.bytes ?? [])
      .toString()
      .replace('\x02', '')
      .replace('\x03', '');
  }

  /** The newest state of an address, as JSON; null for none. */
  async state(path = '/http/app/net'): Promise<{ serial: number; resources: unknown[] } | null> {
    const answer = await this.house.ask('GET', path);
    return answer.status === 200
      ? (JSON.parse(answer.text) as { serial: number; resources: unknown[] })
      : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.house.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export const WANTED: Omit<RunWanted, 'configuration'> = {
  destroy: false,
  refresh: true,
  refreshOnly: false,
  targets: [],
  replaces: [],
  generatesConfiguration: false,
  autoApply: false,
  message: '',
  variables: [],
  program: 'terraform',
  version: null,
  directory: '',
  saves: false,
};

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
