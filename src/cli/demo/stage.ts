import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../core/address.ts';
import type { Caller } from '../../house/caller.ts';
import type { LockView } from '../../house/locks/locks.ts';
import { DEFAULTS } from '../../server/configuration.ts';
import { openHouse, type OpenHouse } from '../../server/open.ts';
import { Failure } from '../failure.ts';
import type { Pair } from '../server/connection.ts';
import { THINGS, type Thing } from './player.ts';

export const ADDRESS: Address = { project: 'demo', key: 'shop.tfstate', workspace: 'default' };

const OPERATOR: Caller = {
  identity: { subject: 'demo:operator', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'demo',
};
/** More than anything in the play takes on the slowest machine. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 20;
const STOPPED = 'the demo was stopped';

/** What the state says now. */
export interface Scene {
  readonly serial: bigint;
  readonly values: Readonly<Record<Thing, number | null>>;
}

/** A house of the demo's own, in a temporary directory and on a free port. */
export class Stage implements AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  readonly #open: OpenHouse;
  readonly #stopped: AbortSignal;
  /** Locks that were handed to a waiter in the very step that released them. */
  #handovers = 0;

  private constructor(directory: string, open: OpenHouse, stopped: AbortSignal) {
    this.directory = directory;
    this.url = open.url;
    this.#open = open;
    this.#stopped = stopped;
    open.house.listen((command, { handovers }) => {
      if (command.type === 'unlock') this.#handovers += handovers.length;
    });
  }

  static async set(stopped: AbortSignal): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-demo-'));
    try {
      const store = { kind: 'directory', path: join(directory, 'house') } as const;
      const open = await openHouse({ ...DEFAULTS, port: 0, store, logLevel: 'silent', shutdownMs: 1_000 });
      return new Stage(directory, open, stopped);
    } catch (fault) {
      await remove(directory);
      throw fault;
    }
  }

  get handovers(): number {
    return this.#handovers;
  }

  /** A credential for one of the players. */
  async credential(name: string): Promise<Pair> {
    const grants = [{ role: 'writer', pattern: 'demo/*' }] as const;
    const made = await this.#open.house.credentials.create(OPERATOR, { name, grants, expiresAt: null });
    if (made.type !== 'created') throw new Error(`no credential for ${name}: ${made.type}`);
    return { id: made.credential.id, secret: made.secret };
  }

  async scene(): Promise<Scene> {
    const found = await this.#open.house.states.read(OPERATOR, ADDRESS);
    if (found.type !== 'found') return { serial: 0n, values: { web: null, db: null } };
    const plain = found.bytes.plain();
    const text = Buffer.from(plain instanceof Uint8Array ? plain : await buffer(plain)).toString();
    return { serial: found.version.serial, values: valuesIn(text) };
  }

  async lock(): Promise<LockView> {
    const answer = await this.#open.house.locks.show(OPERATOR, ADDRESS);
    if (answer.type !== 'shown') throw new Error('the lock could not be looked at');
    return answer.lock;
  }

  /** Breaks whatever lock is held, as an operator. @returns whether one was */
  async breakLock(): Promise<boolean> {
    const [holder] = (await this.lock()).holders;
    if (holder === undefined) return false;
    const answer = await this.#open.house.locks.unlock(OPERATOR, ADDRESS, {
      lockId: holder.lockId,
      alias: null,
    });
    return answer.type === 'released' && answer.broken;
  }

  /** Waits until a request for the lock is held open. */
  async untilParked(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await this.lock()).line.some(({ seat }) => seat !== null)) {
      if (Date.now() > deadline) throw new Failure('no request came to wait for the lock');
      if (this.#stopped.aborted) throw new Failure(STOPPED);
      await sleep(LOOK_MS);
    }
  }

  /** Waits for something in the play, but not for ever, and not once the user has had enough. */
  async soon<T>(what: string, promise: Promise<T>): Promise<T> {
    const late = new AbortController();
    const signal = AbortSignal.any([this.#stopped, late.signal]);
    try {
      return await Promise.race([
        promise,
        sleep(PATIENCE_MS, undefined, { signal }).then(
          () => {
            throw new Failure(`${what} took longer than ${PATIENCE_MS / 1_000} s`);
          },
          () => {
            throw new Failure(STOPPED);
          },
        ),
      ]);
    } finally {
      late.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.close();
    await remove(this.directory);
  }
}

/** The number of each thing, read from a state that terraform or the demo's own client wrote. */
function valuesIn(state: string): Record<Thing, number | null> {
  const { resources = [] } = JSON.parse(state) as { resources?: readonly ResourceInState[] };
  const value = (thing: Thing): number | null => {
    const found = resources.find(({ name }) => name === thing)?.instances?.[0]?.attributes?.input?.value;
    return typeof found === 'number' ? found : null;
  };
  return Object.fromEntries(THINGS.map((thing) => [thing, value(thing)])) as Record<Thing, number | null>;
}

interface ResourceInState {
  readonly name?: string;
  readonly instances?: readonly { readonly attributes?: { readonly input?: { readonly value?: unknown } } }[];
}

function remove(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
