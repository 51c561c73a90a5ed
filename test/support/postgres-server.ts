import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, cp, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { findOnPath, runnable } from './find-program.ts';
import { freePort } from './free-port.ts';
import { POSTGRES_TEMPLATE } from './postgres-template.ts';

/** The programs of one installed PostgreSQL. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

export interface PostgresOptions {
  /** Settings as `postgres -c` takes them; `fsync` is off unless given, since the machine outlives the test. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Makes TCP clients give this password; without it everyone on loopback may enter. */
  readonly password?: string;
}

/** The superuser of every server started here. */
export const POSTGRES_USER = 'statehouse';
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
/** How `pg_ctl` names the ways to stop, and the signals that ask for them. */
const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/**
 * Finds PostgreSQL on PATH. Where it is missing the caller skips its tests and says so.
 * @throws when it is missing and `CI` is set: there it must be installed
 */
export async function findPostgres(): Promise<PostgresPrograms | null> {
  const postgres = await findOnPath('postgres');
  const initdb =
    (await findOnPath('initdb')) ??
    (postgres === null ? null : await runnable(join(dirname(await realpath(postgres)), 'initdb')));
  if (postgres !== null && initdb !== null) return { postgres, initdb };
  if (process.env['CI'] === 'true') throw new Error('postgres and initdb are not on PATH, and CI needs them');
  return null;
}

/** One real PostgreSQL of its own on loopback, in a temporary directory. */
export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #programs: PostgresPrograms;
  readonly #options: PostgresOptions;
  readonly #directory: string;
  readonly #user: { uid: number; gid: number } | null;
  readonly #killAtExit = (): void => void this.#process?.kill('SIGQUIT');
  #process: ChildProcess | null = null;
  #databases = 0;

  private constructor(
    programs: PostgresPrograms,
    options: PostgresOptions,
    place: { port: number; directory: string; user: { uid: number; gid: number } | null },
  ) {
    this.#programs = programs;
    this.#options = options;
    this.port = place.port;
    this.#directory = place.directory;
    this.#user = place.user;
    process.once('exit', this.#killAtExit);
  }

  /** Makes and starts a server. */
  static async start(programs: PostgresPrograms, options: PostgresOptions = {}): Promise<PostgresServer> {
    const user = await unprivileged();
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-postgres-'));
    if (user !== null) await chown(directory, user.uid, user.gid);
    const server = new PostgresServer(programs, options, { port: await freePort(), directory, user });
    await server.#initialise();
    await server.launch();
    return server;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** Where to connect, through another port if one is given. */
  url(database = 'postgres', port: number = this.port): string {
    const password = this.#options.password === undefined ? '' : `:${this.#options.password}`;
    return `postgres://${POSTGRES_USER}${password}@127.0.0.1:${port}/${database}`;
  }

  /** Makes an empty database. @returns its name */
  async createDatabase(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return name;
  }

  /** Runs statements as the superuser. */
  async query(sql: string, database?: string): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Starts the server again after {@link halt}. Resolves once it takes connections. */
  async launch(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: '',
      fsync: 'off',
      max_connections: '200',
      ...this.#options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = this.#spawn(this.#programs.postgres, ['-D', join(this.#directory, 'data'), ...flags]);
    this.#process = child;
    await saidReady(child);
  }

  /** Stops the server: `fast` ends every connection, `immediate` is a crash that needs recovery at the next start. */
  async halt(mode: keyof typeof STOP_SIGNALS = 'fast'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(STOP_SIGNALS[mode]);
    const lastResort = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await gone;
    clearTimeout(lastResort);
  }

  async restart(mode: keyof typeof STOP_SIGNALS): Promise<void> {
    await this.halt(mode);
    await this.launch();
  }

  /**
   * A standby with all that this server has, which must be halted: read-only until it is {@link promote}d.
   * It is a copy, so that no replication has to be waited for.
   */
  async standby(): Promise<PostgresServer> {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-standby-'));
    const place = { port: await freePort(), directory, user: this.#user };
    const copy = new PostgresServer(this.#programs, this.#options, place);
    await cp(this.#directory, directory, { recursive: true });
    await writeFile(join(directory, 'data', 'standby.signal'), '');
    if (this.#user !== null) await giveAll(directory, this.#user);
    await copy.launch();
    return copy;
  }

  /** Makes a standby a primary. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote()');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#killAtExit);
    await this.halt('immediate');
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What `initdb` makes is made once in a test run and copied, unless there is a password in it. */
  async #initialise(): Promise<void> {
    const data = join(this.#directory, 'data');
    const shared = process.env[POSTGRES_TEMPLATE];
    if (this.#options.password !== undefined || shared === undefined) return this.#initdb(this.#directory);
    const template = join(shared, 'data');
    if (!existsSync(template)) {
      if (this.#user !== null) await chown(shared, this.#user.uid, this.#user.gid);
      const making = await mkdtemp(join(shared, 'making-'));
      if (this.#user !== null) await chown(making, this.#user.uid, this.#user.gid);
      await this.#initdb(making);
      await rename(join(making, 'data'), template).catch(ifMadeMeanwhile);
    }
    await this.#finish('cp', ['-R', '-p', template, data]);
  }

  async #initdb(directory: string): Promise<void> {
    const { password } = this.#options;
    const flags = ['-D', join(directory, 'data'), '-U', POSTGRES_USER, '-E', 'UTF8', '--locale=C.UTF-8'];
    const passwordFile = join(directory, 'password');
    if (password === undefined) {
      flags.push('--auth=trust');
    } else {
      await writeFile(passwordFile, password);
      flags.push('--auth=scram-sha-256', `--pwfile=${passwordFile}`);
    }
    await this.#finish(this.#programs.initdb, [...flags, '--no-sync']);
  }

  async #finish(program: string, parameters: readonly string[]): Promise<void> {
    const child = this.#spawn(program, parameters);
    const errors = collect(child);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} failed (${code}): ${errors()}`);
  }

  #spawn(program: string, parameters: readonly string[]): ChildProcess {
    return spawn(program, parameters, {
      cwd: this.#directory,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      ...this.#user,
    });
  }
}

/** PostgreSQL refuses to run as root: as root, the user `postgres` or else `nobody` runs it. */
async function unprivileged(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user = ['postgres', 'nobody'].map((name) => users.find(([n]) => n === name)).find(Boolean);
  if (user === undefined) throw new Error('no user "postgres" or "nobody" to run PostgreSQL as');
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** Of two that make the same at once, the second takes what the first has made. */
function ifMadeMeanwhile(fault: NodeJS.ErrnoException): void {
  if (fault.code !== 'ENOTEMPTY' && fault.code !== 'EEXIST') throw fault;
}

async function giveAll(directory: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const entries = await readdir(directory, { recursive: true });
  for (const path of ['.', ...entries]) await chown(join(directory, path), uid, gid);
}

async function saidReady(child: ChildProcess): Promise<void> {
  const errors = collect(child);
  await new Promise<void>((resolve, reject) => {
    const fail = (): void => reject(new Error(`PostgreSQL did not start: ${errors()}`));
    const timer = setTimeout(fail, START_MS_MAX);
    child.once('exit', fail);
    child.stderr?.on('data', () => {
      if (!/database system is ready to accept (?:read-only )?connections/.test(errors())) return;
      clearTimeout(timer);
      child.off('exit', fail);
      resolve();
    });
  });
}

/** Keeps the newest of what a process says, enough to explain a failure. */
function collect(child: ChildProcess): () => string {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-8_000);
  });
  return () => said;
}
