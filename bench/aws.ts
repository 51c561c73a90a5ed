import { fileURLToPath } from 'node:url';
import { HouseProcess } from '../test/support/house-process.ts';
import { findMoto, MotoServer } from '../test/support/moto-server.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { makeBucket, makeLockTable } from '../test/clients/fixtures/moto.ts';
import type { AwsOrder, AwsResult, Means } from './aws-client.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const CLIENTS = [1, 32] as const;
const STATE_BYTES = [2_000, 100_000] as const;
const WARM_MS = 2_000;
const MEASURE_MS = 6_000;
const MEANS: Readonly<Record<Means, string>> = { table: 'S3 + DynamoDB', 'lock-file': 'S3 lock file' };

interface Measured extends AwsResult {
  readonly server: string;
  readonly means: Means;
  readonly clients: number;
  readonly stateBytes: number;
}

/** The calls of an apply through the AWS doors: how many whole sequences a second, beside moto. */
export async function aws(): Promise<Section> {
  const measured: Measured[] = [];
  const program = await findMoto();
  for (const means of Object.keys(MEANS) as Means[]) {
    for (const stateBytes of STATE_BYTES) {
      for (const clients of CLIENTS) {
        const order = { means, stateBytes, clients };
        await using house = await HouseProcess.start({ flags: ['--request-rate=0'] });
        measured.push({ server: 'Statehouse', ...(await measure(house.port, order)) });
        if (program === null) continue;
        await using moto = await MotoServer.start(program);
        await makeBucket(moto, 'bench');
        await makeLockTable(moto, 'terraform-locks');
        measured.push({ server: 'moto', ...(await measure(Number(new URL(moto.url).port), order)) });
      }
    }
  }
  return { name: 'aws', title: 'The calls of an apply over S3', text: TEXT, table: tableOf(measured) };
}

const TEXT = `Each client has a state of its own and makes the calls that Terraform 1.11 makes for one apply, one at a time over one
keep-alive connection: LIST, lock, HEAD, GET, [GetItem of the digest], PUT, [PutItem of the digest], read the lock, unlock; nine with a
DynamoDB table, seven with a lock file. All clients are one process (\`bench/aws-client.ts\`), on the same cores as the server. The
house verifies every signature and keeps every lock, write and release durably before it answers; moto does neither, and keeps all
in memory.`;

async function measure(
  port: number,
  order: { readonly means: Means; readonly stateBytes: number; readonly clients: number },
): Promise<Omit<Measured, 'server'>> {
  const whole: AwsOrder = { ...order, port, credential: TEST_ADMIN, warmMs: WARM_MS, measureMs: MEASURE_MS };
  const path = fileURLToPath(new URL('aws-client.js', import.meta.url));
  const client = new RunningProgram(process.execPath, [path, JSON.stringify(whole)], {
    cwd: '.',
    env: process.env,
  });
  const { code, stdout, output } = await client.end;
  if (code !== 0) throw new Error(`the clients failed: ${output}`);
  const result = JSON.parse(stdout) as AwsResult;
  progress(`aws: ${order.means}, ${order.clients} clients, ${order.stateBytes} bytes: ${rateOf(result)}/s`);
  return { ...result, ...order };
}

function rateOf({ cycles, seconds }: AwsResult): string {
  const rate = cycles / seconds;
  return rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en');
}

function tableOf(measured: readonly Measured[]): string {
  return markdownTable(
    ['lock', 'state', 'clients', 'server', 'applies/s', 'p50', 'p99'],
    measured.map((one) => [
      MEANS[one.means],
      `${one.stateBytes / 1_000} kB`,
      String(one.clients),
      one.server,
      rateOf(one),
      milliseconds(one.p50),
      milliseconds(one.p99),
    ]),
  );
}
