import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AzuritePlace } from '../test/clients/fixtures/azurite-place.ts';
import { makeBucket } from '../test/clients/fixtures/moto.ts';
import { findAzurite } from '../test/support/azurite.ts';
import { ConsulAgent, findConsul } from '../test/support/consul-agent.ts';
import { eventually } from '../test/support/eventually.ts';
import { FakeGcsServer, findFakeGcs } from '../test/support/fake-gcs-server.ts';
import { findOnPath, runnable } from '../test/support/find-program.ts';
import { freePort } from '../test/support/free-port.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { findMoto, MotoServer } from '../test/support/moto-server.ts';
import { findPostgres, PostgresServer } from '../test/support/postgres-server.ts';
import { basic } from '../test/support/request.ts';
import { RunningProgram } from '../test/support/running-program.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import type { CyclesOrder } from './cycles-client.ts';

/** A server that runs, and how its clients speak to it. */
export interface Place extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** What must be there for so many clients, made; and what they are told. */
  readonly ready: (clients: number, run: string) => Promise<Partial<CyclesOrder>>;
}

/** A server that does the same work. */
export interface Peer {
  readonly name: string;
  /** What it keeps besides the newest state. */
  readonly keeps: string;
  /** Starts it; null where it is not installed. */
  readonly open: () => Promise<Place | null>;
  /** Where it is looked for. */
  readonly lookedFor: string;
}

const OURS = 'versions, audit, encryption, rules';
/** Where the path of a program may be given that is seldom on PATH. */
const RUST_PEER = 'STATEHOUSE_BENCH_RUST_PEER';
const RUST_NAME = 'terraform-http-backend-rs';
const CONNECTIONS_MAX = '300';

export const PEERS: readonly Peer[] = [
  { name: 'Statehouse, http', keeps: OURS, lookedFor: 'dist', open: () => openHouse('http') },
  { name: 'Statehouse, S3 lock file', keeps: OURS, lookedFor: 'dist', open: () => openHouse('s3') },
  {
    name: `${RUST_NAME} (SQLite)`,
    keeps: '–',
    lookedFor: `${RUST_NAME} on PATH, or ${RUST_PEER} with its path`,
    open: openRust,
  },
  { name: "PostgreSQL, terraform's `pg`", keeps: '–', lookedFor: 'postgres on PATH', open: openPostgres },
  { name: 'moto, S3 lock file', keeps: '–', lookedFor: 'moto_server on PATH', open: openMoto },
  {
    name: 'fake-gcs-server',
    keeps: '–',
    lookedFor: 'fake-gcs-server on PATH or among the programs of Go',
    open: openGcs,
  },
  { name: 'Azurite', keeps: '–', lookedFor: 'azurite-blob on PATH', open: openAzurite },
  { name: 'Consul', keeps: '–', lookedFor: 'consul on PATH or among the programs of Go', open: openConsul },
];

async function openHouse(protocol: 'http' | 's3'): Promise<Place> {
  const house = await HouseProcess.start({ flags: ['--request-rate=0'] });
  return place(house, house.port, async () => ({ protocol }));
}

async function openRust(): Promise<Place | null> {
  const given = process.env[RUST_PEER];
  const program = given === undefined ? await findOnPath(RUST_NAME) : await runnable(given);
  if (program === null) return null;
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-peer-'));
  const port = await freePort();
  const run = new RunningProgram(program, [], {
    cwd: directory,
    env: {
      DATABASE_URI: `sqlite:${join(directory, 'states.db')}`,
      HTTP_PORT: String(port),
      HTTP_BIND_ADDRESS: '127.0.0.1',
      TF_HTTP_USERNAME: TEST_ADMIN.id,
      TF_HTTP_PASSWORD: TEST_ADMIN.secret,
      LOG_LEVEL: 'ERROR',
    },
  });
  const url = `http://127.0.0.1:${port}/terraform/none`;
  const headers = { authorization: basic(TEST_ADMIN) };
  await eventually(`${RUST_NAME} answers`, () =>
    fetch(url, { headers }).then(
      () => true,
      () => false,
    ),
  );
  const end = async (): Promise<void> => {
    run.signal('SIGKILL');
    await run.end;
    await rm(directory, { recursive: true, force: true });
  };
  return { pid: run.pid, port, ready: async () => ({ protocol: 'http-rs' }), [Symbol.asyncDispose]: end };
}

async function openPostgres(): Promise<Place | null> {
  const programs = await findPostgres();
  if (programs === null) return null;
  const settings = { fsync: 'on', max_connections: CONNECTIONS_MAX };
  const server = await PostgresServer.start(programs, { settings });
  await server.query(
    'CREATE SEQUENCE ids AS bigint; ' +
      "CREATE TABLE states (id bigint NOT NULL DEFAULT nextval('ids') PRIMARY KEY, name text UNIQUE, data text)",
  );
  return place(server, server.port, async () => ({ protocol: 'pg', authorization: server.url() }));
}

async function openMoto(): Promise<Place | null> {
  const program = await findMoto();
  if (program === null) return null;
  const moto = await MotoServer.start(program);
  await makeBucket(moto, 'bench');
  return place(moto, portOf(moto.url), async () => ({ protocol: 's3' }));
}

async function openGcs(): Promise<Place | null> {
  const program = await findFakeGcs();
  if (program === null) return null;
  const server = await FakeGcsServer.start(program);
  await server.makeBucket('bench', false);
  return place(server, portOf(server.url), async () => ({ protocol: 'gcs', authorization: '' }));
}

async function openAzurite(): Promise<Place | null> {
  const program = await findAzurite();
  if (program === null) return null;
  const azure = await AzuritePlace.start(program);
  const { azurite, sas } = azure;
  const ready = async (clients: number, run: string): Promise<Partial<CyclesOrder>> => {
    for (let client = 0; client < clients; client += 1) {
      const url = `${azurite.endpoint}/states/${run}-${client}?${sas}`;
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2022-11-02' };
      const made = await fetch(url, { method: 'PUT', headers, body: '{}' });
      if (!made.ok) throw new Error(`a blob was not made: ${made.status}`);
    }
    return { protocol: 'azure', authorization: sas };
  };
  return {
    pid: azurite.pid,
    port: portOf(azurite.endpoint),
    ready,
    [Symbol.asyncDispose]: () => azure[Symbol.asyncDispose](),
  };
}

async function openConsul(): Promise<Place | null> {
  const program = await findConsul();
  if (program === null) return null;
  // Its own limit would be what is measured.
  const agent = await ConsulAgent.start(program, 'limits { http_max_conns_per_client = 1000 }');
  const ready = async (clients: number): Promise<Partial<CyclesOrder>> => {
    const sessions: string[] = [];
    for (let client = 0; client < clients; client += 1) {
      const made = (await agent.ask('PUT', 'session/create', '{"LockDelay": "0s"}')) as {
        readonly ID: string;
      };
      sessions.push(made.ID);
    }
    return { protocol: 'consul', authorization: '', sessions };
  };
  return place(agent, portOf(`http://${agent.address}`), ready);
}

function place(
  server: AsyncDisposable & { readonly pid: number },
  port: number,
  ready: Place['ready'],
): Place {
  return { pid: server.pid, port, ready, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
