import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { findTerraform, TerraformFolder } from '../test/support/terraform.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { httpBackend, httpLogin, resource } from '../test/e2e/fixtures/http-folder.ts';
import { awsLogin, s3Backend } from '../test/e2e/fixtures/s3-folder.ts';
import { progress, type Section } from './section.ts';
import { markdownTable } from './table.ts';

const HOLDS_S = [5, 25, 53];
/** When four more come while the first holds the lock, in seconds after it. */
const COMERS: readonly ((hold: number) => number)[] = [
  (hold) => 0.2 * hold,
  (hold) => 0.4 * hold,
  (hold) => 0.6 * hold,
  (hold) => hold - 1.5,
];

interface Door {
  readonly name: string;
  readonly backend: (house: HouseProcess) => string;
  readonly env: (house: HouseProcess) => Readonly<Record<string, string>>;
}

const DOORS: readonly Door[] = [
  {
    name: 'http',
    backend: ({ url }) => httpBackend({ url, path: 'bench/holds' }),
    env: () => httpLogin(TEST_ADMIN),
  },
  {
    name: 'DynamoDB',
    backend: () => s3Backend([...BUCKET, 'dynamodb_table = "terraform-locks"']),
    env: ({ url }) => awsLogin(url),
  },
  {
    name: 'S3 lock file',
    backend: () => s3Backend([...BUCKET, 'use_lockfile = true']),
    env: ({ url }) => awsLogin(url),
  },
];
const BUCKET = ['bucket = "bench"', 'key = "holds"', 'region = "us-east-1"'];

/** (j) Real applies that hold the lock for a while, and four more that come meanwhile. */
export async function holds(): Promise<Section> {
  const terraform = await findTerraform();
  if (terraform === null) throw new Error('terraform is not on PATH');
  const rows: (readonly string[])[] = [];
  for (const hold of HOLDS_S) {
    // The doors have a server each, so they do not wait for each other.
    rows.push(...(await Promise.all(DOORS.map((door) => handedOver(terraform, door, hold)))));
  }
  return {
    name: 'holds',
    title: 'Holds of some length',
    text: `One real \`terraform apply\` holds the lock, and four more with \`-lock-timeout=20m\` come after 20, 40 and 60 % of the hold, and 1.5 s before
its end; each holds the lock as long. From a release to the next grant by the server's audit log, so what terraform does before it asks, and after, is not in it.`,
    table: markdownTable(['hold', 'door', 'in the order of asking', 'hand-overs'], rows),
  };
}

async function handedOver(terraform: string, door: Door, hold: number): Promise<readonly string[]> {
  await using house = await HouseProcess.start();
  await using base = await TerraformFolder.make(terraform, {
    files: { 'backend.tf': door.backend(house), 'main.tf': '' },
    env: door.env(house),
  });
  await base.must('init');
  const log = join(base.path, 'order');
  const apply = async (name: number, afterS: number): Promise<void> => {
    await using folder = await base.copy();
    await folder.write('main.tf', resource('work', String(name), `echo ${name} >> ${log}; sleep ${hold}`));
    await new Promise((resolve) => setTimeout(resolve, afterS * 1_000));
    const { code, output } = await folder.run('apply', '-auto-approve', '-lock-timeout=20m');
    if (code !== 0) throw new Error(output);
  };
  await Promise.all([apply(0, 0), ...COMERS.map((after, index) => apply(index + 1, after(hold)))]);
  const order = (await readFile(log, 'utf8')).trim().split('\n').join(' ');
  const waits = await handOvers(house);
  progress(`holds: ${door.name}, ${hold} s: ${order}; ${waits.join(', ')} ms`);
  return [`${hold} s`, door.name, order === '0 1 2 3 4' ? 'yes' : `no: ${order}`, `${waits.join(', ')} ms`];
}

/** @returns milliseconds from each release to the next grant */
async function handOvers(house: HouseProcess): Promise<readonly number[]> {
  const { text } = await ask(house.url, 'GET', '/api/v1/audit?limit=100');
  const { records } = JSON.parse(text) as { records: readonly { at: string; action: string }[] };
  const times = records
    .toReversed()
    .filter(({ action }) => action === 'lock' || action === 'unlock')
    .map(({ at, action }) => ({ at: Date.parse(at), action }));
  return times.flatMap(({ at, action }, index) => {
    const before = times[index - 1];
    return action === 'lock' && before?.action === 'unlock' ? [at - before.at] : [];
  });
}
