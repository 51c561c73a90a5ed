import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findMoto, MotoServer } from '../test/support/moto-server.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { findPostgres, PostgresServer } from '../test/support/postgres-server.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { findTerraform, TerraformFolder } from '../test/support/terraform.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const RUNS = 15;
const MAIN = join(
  dirname(createRequire(import.meta.url).resolve('statehouse-server/package.json')),
  'dist',
  'program',
  'cli.main.cjs',
);
const RESOURCES = 200;

interface Backend {
  readonly name: string;
  readonly block: string;
  readonly env: Readonly<Record<string, string>>;
  readonly dispose: () => Promise<void>;
}

/** (g) The command line beside terraform: how long people wait for an answer, processes and all. */
export async function key(): Promise<Section> {
  const terraform = await findTerraform();
  if (terraform === null) throw new Error('terraform is not on PATH');
  const rows: string[][] = [];
  for (const start of [local, http, s3, pg]) {
    const backend = await start();
    if (backend === null) continue;
    try {
      rows.push(await measure(terraform, backend));
    } finally {
      await backend.dispose();
    }
    progress(`key: ${backend.name} done`);
  }
  return {
    name: 'key',
    title: 'The command line beside terraform',
    text: `Median of ${RUNS} runs each, taken in turns, from the moment the process is asked for; a state of ${RESOURCES} resources, \`terraform init\` done. Target: \`status\` on local files and http below 150 ms.`,
    table: markdownTable(
      [
        'backend',
        'statehouse status',
        'statehouse state pull',
        'terraform state pull',
        'terraform state list',
      ],
      rows,
    ),
  };
}

async function measure(terraform: string, { name, block, env }: Backend): Promise<string[]> {
  const main = `resource "terraform_data" "r" {\n  count = ${RESOURCES}\n  input = "input \${count.index}"\n}\n`;
  await using folder = await TerraformFolder.make(terraform, {
    files: { 'backend.tf': block, 'main.tf': main },
    env,
  });
  await folder.must('init');
  await folder.must('apply', '-auto-approve');
  const ours =
    (...words: readonly string[]) =>
    async (): Promise<number> => {
      const run = new RunningProgram(process.execPath, [MAIN, ...words], {
        cwd: folder.path,
        env: { ...process.env, ...env },
      });
      const { code, output, milliseconds: took } = await run.end;
      if (code !== 0) throw new Error(output);
      return took;
    };
  const theirs =
    (...words: readonly string[]) =>
    async (): Promise<number> => {
      const { code, output, milliseconds: took } = await folder.run(...words);
      if (code !== 0) throw new Error(output);
      return took;
    };
  const columns = [ours('status'), ours('state', 'pull'), theirs('state', 'pull'), theirs('state', 'list')];
  const took: number[][] = columns.map(() => []);
  for (let run = 0; run < RUNS; run += 1) {
    for (const [column, once] of columns.entries()) took[column]?.push(await once());
  }
  return [name, ...took.map((values) => milliseconds(median(values)))];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function local(): Promise<Backend> {
  return Promise.resolve({ name: 'local', block: '', env: {}, dispose: () => Promise.resolve() });
}

async function http(): Promise<Backend> {
  const house = await HouseProcess.start();
  const address = `${house.url}/http/acme/bench`;
  return {
    name: 'http (Statehouse)',
    block: `terraform {\n  backend "http" {\n    address        = "${address}"\n    lock_address   = "${address}"\n    unlock_address = "${address}"\n  }\n}\n`,
    env: { TF_HTTP_USERNAME: TEST_ADMIN.id, TF_HTTP_PASSWORD: TEST_ADMIN.secret },
    dispose: () => house[Symbol.asyncDispose](),
  };
}

async function s3(): Promise<Backend | null> {
  const program = await findMoto();
  if (program === null) return null;
  const server = await MotoServer.start(program);
  const { S3Client, CreateBucketCommand } = await import('@aws-sdk/client-s3');
  const credentials = { accessKeyId: 'testing', secretAccessKey: 'testing' };
  const client = new S3Client({
    endpoint: server.url,
    forcePathStyle: true,
    region: 'us-east-1',
    credentials,
  });
  await client.send(new CreateBucketCommand({ Bucket: 'states' }));
  client.destroy();
  return {
    name: 's3 (moto)',
    block: `terraform {\n  backend "s3" {\n    bucket         = "states"\n    key            = "bench"\n    use_path_style = true\n    use_lockfile   = true\n  }\n}\n`,
    env: server.env,
    dispose: () => server[Symbol.asyncDispose](),
  };
}

async function pg(): Promise<Backend | null> {
  const programs = await findPostgres();
  if (programs === null) return null;
  const server = await PostgresServer.start(programs);
  const url = new URL(server.url(await server.createDatabase()));
  url.searchParams.set('sslmode', 'disable');
  return {
    name: 'pg',
    block: 'terraform {\n  backend "pg" {}\n}\n',
    env: { PG_CONN_STR: url.href },
    dispose: () => server[Symbol.asyncDispose](),
  };
}
