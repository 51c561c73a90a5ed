import { HouseProcess } from '../test/support/house-process.ts';
import { findMoto, MotoServer } from '../test/support/moto-server.ts';
import { findPostgres, PostgresServer } from '../test/support/postgres-server.ts';
import { findTerraform, TerraformFolder } from '../test/support/terraform.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { makeBucket, makeLockTable } from '../test/clients/fixtures/moto.ts';
import { httpBackend, httpLogin, resource } from '../test/e2e/fixtures/http-folder.ts';
import { awsLogin, s3Backend } from '../test/e2e/fixtures/s3-folder.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, seconds } from './table.ts';

const CROWDS = [8, 32] as const;
const HOLD_SECONDS = 0.5;
const SOLO_RUNS = 5;

/** Somewhere to keep one state and its lock. */
export interface QueueEntry extends AsyncDisposable {
  readonly name: string;
  readonly backend: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Crowd {
  readonly place: string;
  readonly applies: number;
  readonly soloMs: number;
  readonly makespanMs: number;
  readonly failed: number;
}

/** (a) Real applies that all want one lock at the same moment. */
export async function contention(): Promise<Section> {
  const terraform = await findTerraform();
  if (terraform === null) throw new Error('terraform is not on PATH');
  const results: Crowd[] = [];
  for (const open of [
    openHouse,
    openHouseTable,
    openHouseLockFile,
    openMotoTable,
    openMotoLockFile,
    openPgBackend,
  ]) {
    await using place = await open();
    if (place === null) continue;
    results.push(...(await crowdsAt(terraform, place, CROWDS)));
  }
  return { name: 'contention', title: 'Applies that want one lock', text: TEXT, table: crowdTable(results) };
}

/** One apply alone, and then so many at once, at one place. */
export async function crowdsAt(
  terraform: string,
  place: QueueEntry,
  crowds: readonly number[],
): Promise<readonly Crowd[]> {
  await using base = await TerraformFolder.make(terraform, {
    files: { 'backend.tf': place.backend, 'main.tf': '' },
    env: place.env,
  });
  await base.must('init');
  const soloMs = await solo(base);
  const results: Crowd[] = [];
  for (const applies of crowds) results.push({ soloMs, ...(await crowd(place.name, base, applies)) });
  return results;
}

const TEXT = `N real \`terraform apply -lock-timeout=10m\`, started together in folders of their own on one state, each changing one
resource whose provisioner sleeps ${HOLD_SECONDS} s under the lock. "one alone" is the mean of ${SOLO_RUNS} such applies one after another;
"N alone" is N times that, the least that any fair order could take. The peers keep the state on this machine as well:
\`moto_server\` as S3 with a DynamoDB table and with a lock file, and a real PostgreSQL for the \`pg\` backend.
"failed" are applies that Terraform gave up although time was left: the holder let go just between the refusal and the question who
holds the lock, and where there is no answer to that it does not try again.
Target for Statehouse: at most 1.2 times N alone.`;

export async function openHouse(): Promise<QueueEntry> {
  const house = await HouseProcess.start();
  return {
    name: 'Statehouse, http',
    backend: httpBackend({ url: house.url, path: 'bench/contention' }),
    env: httpLogin(TEST_ADMIN),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

const openHouseTable = (): Promise<QueueEntry> =>
  openHouseOverS3('Statehouse, S3 + DynamoDB', ['dynamodb_table = "terraform-locks"']);

const openHouseLockFile = (): Promise<QueueEntry> =>
  openHouseOverS3('Statehouse, S3 lock file', ['use_lockfile = true']);

async function openHouseOverS3(name: string, lock: readonly string[]): Promise<QueueEntry> {
  const house = await HouseProcess.start();
  return {
    name,
    backend: s3Backend(['bucket = "bench"', 'key = "contention"', 'region = "us-east-1"', ...lock]),
    env: awsLogin(house.url),
    [Symbol.asyncDispose]: () => house[Symbol.asyncDispose](),
  };
}

const openMotoTable = (): Promise<QueueEntry | null> =>
  openMoto('moto: S3 + DynamoDB', ['dynamodb_table = "terraform-locks"']);

const openMotoLockFile = (): Promise<QueueEntry | null> =>
  openMoto('moto: S3 lock file', ['use_lockfile = true']);

async function openMoto(name: string, lock: readonly string[]): Promise<QueueEntry | null> {
  const program = await findMoto();
  if (program === null) return null;
  const server = await MotoServer.start(program);
  await makeBucket(server, 'bench', false);
  await makeLockTable(server, 'terraform-locks');
  const lines = [
    'bucket = "bench"',
    'key = "contention"',
    'region = "us-east-1"',
    'use_path_style = true',
    'skip_credentials_validation = true',
    'skip_requesting_account_id = true',
    ...lock,
  ];
  return {
    name,
    backend: s3Backend(lines),
    env: server.env,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Terraform's own backend on a PostgreSQL of its own. */
export async function openPgBackend(): Promise<QueueEntry | null> {
  const programs = await findPostgres();
  if (programs === null) return null;
  const server = await PostgresServer.start(programs, { settings: { fsync: 'on' } });
  const url = server.url(await server.createDatabase());
  return {
    name: 'PostgreSQL, pg',
    backend: `terraform {\n  backend "pg" {\n    conn_str = "${url}?sslmode=disable"\n  }\n}\n`,
    env: {},
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

let changes = 0;

/** A configuration that differs from the one before, so that applying it does something. */
function change(): string {
  changes += 1;
  return resource('work', String(changes), `sleep ${HOLD_SECONDS}`);
}

async function solo(folder: TerraformFolder): Promise<number> {
  await folder.write('main.tf', change());
  await folder.must('apply', '-auto-approve');
  let sum = 0;
  for (let run = 0; run < SOLO_RUNS; run += 1) {
    await folder.write('main.tf', change());
    const { code, milliseconds, output } = await folder.run('apply', '-auto-approve', '-lock-timeout=10m');
    if (code !== 0) throw new Error(output);
    sum += milliseconds;
  }
  return sum / SOLO_RUNS;
}

async function crowd(place: string, base: TerraformFolder, applies: number): Promise<Omit<Crowd, 'soloMs'>> {
  const folders = await Promise.all(Array.from({ length: applies }, () => base.copy()));
  for (const folder of folders) await folder.write('main.tf', change());
  const began = performance.now();
  const ends = await Promise.all(
    folders.map(async (folder) => {
      const { code, output } = await folder.run('apply', '-auto-approve', '-lock-timeout=10m');
      if (code !== 0)
        progress(`contention: ${place}: ${/Error: .*|Error message: .*/s.exec(output)?.[0] ?? ''}`);
      return { code, at: performance.now() - began };
    }),
  );
  const makespanMs = Math.max(...ends.map(({ at }) => at));
  const failed = ends.filter(({ code }) => code !== 0).length;
  await Promise.all(folders.map((folder) => folder[Symbol.asyncDispose]()));
  progress(`contention: ${place}, ${applies}: ${seconds(makespanMs)}, ${failed} failed`);
  return { place, applies, makespanMs, failed };
}

export function crowdTable(results: readonly Crowd[]): string {
  return markdownTable(
    ['state and lock in', 'N', 'one alone', 'N alone', 'all done', 'of N alone', 'failed'],
    results.map(({ place, applies, soloMs, makespanMs, failed }) => [
      place,
      String(applies),
      seconds(soloMs),
      seconds(applies * soloMs),
      seconds(makespanMs),
      `${(makespanMs / (applies * soloMs)).toFixed(2)} ×`,
      String(failed),
    ]),
  );
}
