import type { Grant } from '../../src/core/grant.ts';
import type { House } from '../../src/house/house.ts';
import type { Caller } from '../../src/house/caller.ts';
import { DEFAULTS, type Configuration } from '../../src/server/configuration.ts';
import type { Engine } from '../../src/ports/engine.ts';
import type { Sealer } from '../../src/ports/sealer.ts';
import { buildHouse, type BuiltHouse } from '../../src/server/build.ts';
import { openBuilt, type OpenHouse } from '../../src/server/open.ts';
import { eventually } from './eventually.ts';
import { ask, type Answer, type Ask } from './request.ts';
import { TEST_ADMIN, type Pair } from './test-admin.ts';
import { newTestSchema } from './test-database.ts';

/** The admin, as doors see it, for tests that speak to the house itself. */
export const ADMIN_CALLER: Caller = {
  identity: { subject: 'token:test-admin', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'test',
};

/** A house with its port open, inside this process: fast, and its insides can be looked at. */
export class TestHouse implements AsyncDisposable {
  readonly url: string;
  readonly house: House;
  /** What it executes; null where it executes nothing. */
  readonly runs: OpenHouse['runs'];
  /** What the house stands on. */
  readonly engine: Engine;
  /** What seals what it keeps. */
  readonly sealer: Sealer;
  /** The certificate to trust, when the house signed its own. */
  readonly certPath: string | null;
  readonly #open: OpenHouse;
  #closed = false;

  private constructor(open: OpenHouse, { engine, keyring }: BuiltHouse) {
    this.engine = engine;
    this.sealer = keyring;
    this.#open = open;
    this.url = open.url;
    this.house = open.house;
    this.runs = open.runs;
    this.certPath = open.certPath;
  }

  /** Opens one on a free port, in memory unless the options or the test run's database say otherwise. */
  static async open(options: Partial<Configuration> = {}): Promise<TestHouse> {
    const configuration = {
      ...DEFAULTS,
      ...defaultStore(),
      port: 0,
      adminCredential: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
      logLevel: 'silent',
      shutdownMs: 2_000,
      ...options,
    } as const;
    const building = buildHouse(configuration);
    const open = await openBuilt(configuration, building);
    return new TestHouse(open, await building);
  }

  /** Sends a request to its port, as the admin unless `as` says otherwise. */
  ask(method: string, target: string, options: Ask = {}): Promise<Answer> {
    return ask(this.url, method, target, options);
  }

  /** Makes a credential. */
  async credential(name: string, grants: readonly Grant[], expiresAt: number | null = null): Promise<Pair> {
    const made = await this.house.credentials.create(ADMIN_CALLER, { name, grants, expiresAt });
    if (made.type !== 'created') throw new Error(`the credential was not made: ${made.type}`);
    return { id: made.credential.id, secret: made.secret };
  }

  /** Waits until so many requests for a lock are held open here. */
  async untilParked(count: number): Promise<void> {
    await eventually(`${count} are parked`, () => this.house.parked === count);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#open.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function defaultStore(): Pick<Configuration, 'store' | 'masterKeys'> {
  const schema = newTestSchema();
  if (schema === null) return { store: { kind: 'memory' }, masterKeys: null };
  return { store: { kind: 'postgres', url: schema.url }, masterKeys: schema.masterKeys };
}
