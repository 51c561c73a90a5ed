import { measure, type Measured } from './cycles.ts';
import { flushesDuring } from './flushes.ts';
import { PEERS, type Peer, type Place } from './peers-places.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const CLIENTS = [1, 32, 256] as const;
const STATE_BYTES = 2_000;
/** How long one client works while flushes are counted, which slows it. */
const COUNTED_MS = 2_000;
/** A write that was answered after fewer flushes than this was not durable; one of a cycle is. */
const DURABLE_MIN = 0.9;

interface Row extends Omit<Measured, 'server'> {
  readonly peer: Peer;
  /** In a cycle of one client; null where they cannot be counted. */
  readonly flushes: number | null;
}

/** (l) The same work, done by others: lock, read, write, unlock, in one run. */
export async function peers(): Promise<Section> {
  const rows: Row[] = [];
  const missing: string[] = [];
  for (const peer of PEERS) {
    await using place = await peer.open();
    if (place === null) {
      missing.push(`${peer.name} (looked for: ${peer.lookedFor})`);
      progress(`peers: not measured, because it was not found: ${missing.at(-1)}`);
      continue;
    }
    rows.push(...(await measured(peer, place)));
  }
  const left =
    missing.length === 0 ? 'All were found.' : `Not measured, because not found: ${missing.join('; ')}.`;
  return { name: 'peers', title: 'The same work by others', text: `${TEXT}\n${left}`, table: tableOf(rows) };
}

const TEXT = `A state of 2 kB of one's own for each client: lock, read, write, unlock, as the server's own clients send them, one request at a
time over one connection, from one process on the same cores. "flushes" are \`fsync\`, \`fdatasync\`, \`msync\` and \`sync_file_range\` of a
cycle of one client, counted by strace in a run of its own; "durable" says by them whether the write was on the disk before it was answered.
Processor time is in milliseconds a cycle, of the server with its children and of the clients. PostgreSQL is given the statements of
terraform's \`pg\` backend, prepared: a lock there is an advisory one, which nobody keeps. moto, fake-gcs-server, Azurite and Consul keep
all in memory, as their tests start them. Consul's clients have one session for all cycles.`;

async function measured(peer: Peer, place: Place): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const flushes = await countFlushes(peer, place);
  for (const clients of CLIENTS) {
    const run = `c${clients}`;
    const more = { run, ...(await place.ready(clients, run)) };
    try {
      const result = await measure(peer.name, place.pid, place.port, clients, STATE_BYTES, more);
      rows.push({ ...result, peer, flushes });
    } catch (fault) {
      progress(`peers: ${peer.name} fails with ${clients} clients: ${String(fault).slice(0, 400)}`);
    }
  }
  return rows;
}

async function countFlushes(peer: Peer, place: Place): Promise<number | null> {
  let cycles = 0;
  const more = { run: 'f', warmMs: 0, measureMs: COUNTED_MS, ...(await place.ready(1, 'f')) };
  const flushes = await flushesDuring(place.pid, async () => {
    ({ cycles } = await measure(
      `${peer.name}, flushes counted`,
      place.pid,
      place.port,
      1,
      STATE_BYTES,
      more,
    ));
  });
  return flushes === null || cycles === 0 ? null : flushes / cycles;
}

function tableOf(rows: readonly Row[]): string {
  return markdownTable(
    [
      'clients',
      'server',
      'cycles/s',
      'of ours',
      'p50',
      'p99',
      'cpu/cycle, server + client',
      'flushes',
      'durable',
      'keeps',
    ],
    CLIENTS.flatMap((clients) => {
      const [ours, ...others] = rows.filter((row) => row.clients === clients);
      return ours === undefined ? [] : [ours, ...others].map((row) => cellsOf(row, ours));
    }),
  );
}

function cellsOf(row: Row, ours: Row): readonly string[] {
  const rate = row.cycles / row.seconds;
  const cpu = (spent: number): string => ((spent * 1_000) / Math.max(row.cycles, 1)).toFixed(2);
  const { flushes } = row;
  return [
    String(row.clients),
    row.peer.name,
    rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en'),
    ours.cycles === 0 ? '–' : `× ${(rate / (ours.cycles / ours.seconds)).toFixed(2)}`,
    milliseconds(row.p50),
    milliseconds(row.p99),
    `${cpu(row.serverCpuSeconds)} + ${cpu(row.cpuSeconds)} ms`,
    flushes === null ? '?' : flushes.toFixed(1),
    flushes === null ? '?' : flushes >= DURABLE_MIN ? 'yes' : 'no',
    row.peer.keeps,
  ];
}
