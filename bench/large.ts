import { request } from 'node:http';
import { createHash } from 'node:crypto';
import { HouseProcess } from '../test/support/house-process.ts';
import { basic } from '../test/support/request.ts';
import { sampleState } from '../test/support/sample-state.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, megabytes, seconds } from './table.ts';
import { usageOf } from './usage.ts';

const STATE_BYTES = 100_000_000;
const ROUNDS = 3;

/** (c) One very large state: how long it takes each way, and what the server needs for it. */
export async function large(): Promise<Section> {
  await using house = await HouseProcess.start();
  const idle = await usageOf(house.pid);
  const rows: (readonly string[])[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const state = Buffer.from(sampleState(round, { size: STATE_BYTES }));
    const wrote = await timed(() => exchange(house, 'POST', state));
    const afterWrite = await usageOf(house.pid);
    const read = await timed(() => exchange(house, 'GET', null));
    const afterRead = await usageOf(house.pid);
    const same = digest(state) === read.result.sha256;
    if (!same) throw new Error('the state came back as another');
    progress(`large: round ${round}: wrote in ${seconds(wrote.milliseconds)}`);
    rows.push([
      String(round),
      seconds(wrote.milliseconds),
      seconds(read.milliseconds),
      megabytes(idle.rssBytes),
      megabytes(afterWrite.peakBytes),
      megabytes(afterRead.peakBytes),
      `${(afterRead.peakBytes / STATE_BYTES).toFixed(2)} ×`,
    ]);
  }
  return {
    name: 'large',
    title: 'A state of 100 MB',
    text: `One state of ${megabytes(STATE_BYTES)} (it compresses to about a quarter, as real ones do) is written and read whole, ${ROUNDS} times over, each a
new version. The peak is the most that the server's process ever had in memory (\`VmHWM\`). Target: below 4 times the state.`,
    table: markdownTable(
      ['version', 'write', 'read', 'server idle', 'peak after write', 'peak after read', 'peak of state'],
      rows,
    ),
  };
}

function exchange({ port }: HouseProcess, method: string, body: Buffer | null): Promise<{ sha256: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path: '/http/bench/large',
        headers: {
          authorization: basic(TEST_ADMIN),
          ...(body === null ? {} : { 'content-length': body.length }),
        },
      },
      (response) => {
        const hash = createHash('sha256');
        response.on('data', (chunk: Buffer) => hash.update(chunk));
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 200) resolve({ sha256: hash.digest('hex') });
          else reject(new Error(`${method} was answered ${String(response.statusCode)}`));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body ?? undefined);
  });
}

async function timed<T>(work: () => Promise<T>): Promise<{ milliseconds: number; result: T }> {
  const began = performance.now();
  const result = await work();
  return { milliseconds: performance.now() - began, result };
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
