import { fileURLToPath } from 'node:url';
import { eventually } from '../test/support/eventually.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { basic } from '../test/support/request.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import type { CyclesOrder, CyclesResult } from './cycles-client.ts';
import { progress, type Section } from './section.ts';
import { slowFlushes, SLOW_FLUSH_MS } from './slow-flush.ts';
import { markdownTable, milliseconds } from './table.ts';
import { processesOf } from '../test/support/process-tree.ts';
import { cpuOf } from './usage.ts';

const CLIENTS = [1, 32, 256] as const;
const STATE_BYTES = [2_000, 100_000] as const;
const WARM_MS = 2_000;
const MEASURE_MS = 6_000;

export interface Measured extends CyclesResult {
  readonly server: string;
  readonly clients: number;
  readonly stateBytes: number;
  readonly serverCpuSeconds: number;
}

/** (b) LOCK, GET, POST, UNLOCK: how many a second, and how long each takes. */
export async function cycles(): Promise<Section> {
  const measured: Measured[] = [];
  const slow = await slowFlushes();
  for (const stateBytes of STATE_BYTES) {
    for (const clients of CLIENTS) {
      measured.push(await measureBare(clients, stateBytes));
      measured.push(await measureHouse('Statehouse', clients, stateBytes, {}));
      if (slow !== null) {
        measured.push(
          await measureHouse(`Statehouse, flush + ${SLOW_FLUSH_MS} ms`, clients, stateBytes, slow),
        );
      }
    }
  }
  return { name: 'cycles', title: 'LOCK + GET + POST + UNLOCK', text: TEXT, table: tableOf(measured) };
}

const TEXT = `Each client has an address of its own and runs whole cycles over one keep-alive connection, one request at a time;
all clients are one process of raw sockets (\`bench/cycles-client.ts\`), on the same cores as the server. Every LOCK, POST and
UNLOCK of Statehouse is durable before it is answered (SQLite, \`synchronous=FULL\`). "bare" is a \`node:http\` server that reads
every body, keeps nothing and answers at once: the ceiling for this client and this machine. "flush + ${SLOW_FLUSH_MS} ms" is the same
server with \`fsync\` and \`fdatasync\` slowed by a preloaded shim (\`bench/slow-flush.ts\`), as on a disk that is not a cloud's.
Processor time is of server and clients together, in milliseconds a cycle: it says what the machine could do if it did nothing else.
Target at 32 clients and 2 kB: 2,500 cycles a second on two cores, client included.`;

async function measureHouse(
  server: string,
  clients: number,
  stateBytes: number,
  env: Readonly<Record<string, string>>,
): Promise<Measured> {
  await using house = await HouseProcess.start({ env, flags: ['--request-rate=0'] });
  return { server, ...(await measure(server, house.pid, house.port, clients, stateBytes)) };
}

async function measureBare(clients: number, stateBytes: number): Promise<Measured> {
  const path = fileURLToPath(new URL('bare-server.js', import.meta.url));
  const server = new RunningProgram(process.execPath, [path, String(stateBytes)], {
    cwd: '.',
    env: process.env,
  });
  try {
    const port = await eventually('the bare server listens', () => Number(server.stdout) || null);
    return { server: 'bare', ...(await measure('bare', server.pid, port, clients, stateBytes)) };
  } finally {
    server.signal('SIGKILL');
    await server.end;
  }
}

/** @param more what differs from the http backend's cycle under the admin's credential; `run` keeps addresses apart from another's */
export async function measure(
  server: string,
  pid: number,
  port: number,
  clients: number,
  stateBytes: number,
  more: Partial<CyclesOrder> = {},
): Promise<Omit<Measured, 'server'>> {
  const order: CyclesOrder = {
    port,
    authorization: basic(TEST_ADMIN),
    clients,
    stateBytes,
    warmMs: WARM_MS,
    measureMs: MEASURE_MS,
    run: 'r',
    ...more,
  };
  const { warmMs, measureMs } = order;
  const path = fileURLToPath(new URL('cycles-client.js', import.meta.url));
  const client = new RunningProgram(process.execPath, [path, JSON.stringify(order)], {
    cwd: '.',
    env: process.env,
  });
  await new Promise((resolve) => setTimeout(resolve, warmMs));
  const pids = await processesOf(pid);
  const before = await cpuOf(pids);
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  const after = await cpuOf(pids);
  const { code, stdout, output } = await client.end;
  if (code !== 0) throw new Error(`the clients failed: ${output}`);
  const result = JSON.parse(stdout) as CyclesResult;
  progress(
    `cycles: ${server}, ${clients} clients, ${stateBytes} bytes: ${Math.round(result.cycles / result.seconds)}/s`,
  );
  return { ...result, clients, stateBytes, serverCpuSeconds: after - before };
}

function tableOf(measured: readonly Measured[]): string {
  return markdownTable(
    ['state', 'clients', 'server', 'cycles/s', 'of bare', 'p50', 'p99', 'cpu/cycle, server + client'],
    measured.map((one) => {
      const rate = one.cycles / one.seconds;
      const ceiling = measured.find(
        ({ server, clients, stateBytes }) =>
          server === 'bare' && clients === one.clients && stateBytes === one.stateBytes,
      );
      const share = ceiling === undefined ? 1 : rate / (ceiling.cycles / ceiling.seconds);
      const cpu = (spent: number): string => ((spent * 1_000) / Math.max(one.cycles, 1)).toFixed(2);
      return [
        `${one.stateBytes / 1_000} kB`,
        String(one.clients),
        one.server,
        Math.round(rate).toLocaleString('en'),
        `${Math.round(share * 100)} %`,
        milliseconds(one.p50),
        milliseconds(one.p99),
        `${cpu(one.serverCpuSeconds)} + ${cpu(one.cpuSeconds)} ms`,
      ];
    }),
  );
}
