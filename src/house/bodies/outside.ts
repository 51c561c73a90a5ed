import { setImmediate } from 'node:timers/promises';
import type { SealedBody } from '../../core/command.ts';
import type { Milliseconds } from '../../core/instant.ts';
import type { BodyStore } from '../../ports/body-store.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type Command,
  type CommandResult,
  type Engine,
  EngineFault,
  type Telling,
} from '../../ports/engine.ts';
import type { ReplacedBody } from '../../ports/sealed-anew.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import { Budget, sharesOf, type Payer } from '../budget.ts';
import { overlaid } from '../overlaid.ts';
import { framed, unframed } from './frames.ts';

/** An object that was begun to be put earlier is given to no body: a small part of the time after which it may be deleted. */
const LATE: Milliseconds = 60 * 60_000;

/** What bodies are kept outside with. */
export interface OutsideParts {
  readonly engine: Engine;
  readonly store: BodyStore;
  /** Throws unless the store is this server's to write to. */
  readonly mayWrite: () => Promise<void>;
  readonly entropy: Pick<Entropy, 'uuid'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Log;
  /** Bodies of so many bytes, as they are stored, go outside; smaller ones stay in the database. */
  readonly least: number;
  /** Bytes of all bodies that are on their way to the store at a time. */
  readonly bytesMax: number;
  /** Bytes of the largest body. */
  readonly bodyMax: number;
}

/**
 * An engine whose large bodies are objects in a store. The object is put first, under a name that nothing else ever has, and is
 * durable before the command that names it is given to the engine: so no body that the database names was ever without its
 * object. What fails in between leaves an object that nothing names, which the keeper of the store deletes later.
 */
export function withOutsideBodies(parts: OutsideParts): Engine {
  const bodies = new OutsideBodies(parts);
  const { engine } = parts;
  return overlaid(engine, {
    apply: (commands, telling) => bodies.apply(commands, telling),
    body: bodyReading(engine, parts.store),
    [Symbol.asyncDispose]: async () => {
      await bodies.settle();
      await engine[Symbol.asyncDispose]();
    },
  });
}

/**
 * Reads bodies, wherever their segments are. Nothing is asked of the store before the first of them is wanted.
 * @param kept reads those whose segments are inside
 */
export function bodyReading(
  kept: Pick<Engine, 'body'>,
  store: Pick<BodyStore, 'get' | 'place'>,
): Engine['body'] {
  const segments = (id: string, object: string): AsyncGenerator<Uint8Array> =>
    unframed(async (from, length) => {
      const bytes = await store.get(object, from, length);
      if (bytes !== null) return bytes;
      const now = await kept.body(id);
      if (now?.object !== object) throw new EngineFault('the version was removed while it was read');
      throw new EngineFault(
        `the object ${object} is missing in ${store.place}, and a state with it: restore it from a copy of the store`,
      );
    });
  return async (id) => {
    const stored = await kept.body(id);
    const object = stored?.object;
    return stored === null || object === undefined
      ? stored
      : { ...stored, segments: () => segments(id, object) };
  };
}

/** A command whose large body is an object by now; null for one that has none. */
interface Moved {
  readonly command: Command;
  readonly object: string | null;
}

class OutsideBodies {
  readonly #parts: OutsideParts;
  readonly #onTheWay: Budget;
  readonly #deletions = new Set<Promise<void>>();

  constructor(parts: OutsideParts) {
    this.#parts = parts;
    this.#onTheWay = new Budget(sharesOf(parts.bytesMax, parts.bodyMax));
  }

  async apply(commands: readonly Command[], telling?: Telling): Promise<readonly CommandResult[]> {
    const { engine } = this.#parts;
    if (!commands.some((command) => this.#mayMove(command))) return engine.apply(commands, telling);
    const moved: Moved[] = [];
    for (const command of commands) moved.push(await this.#moved(command));
    const results = await engine.apply(
      moved.map(({ command }) => command),
      telling,
    );
    for (const [at, { object }] of moved.entries()) {
      // What a fault leaves open is left to the keeper of the store: the database may have stored the name.
      if (object !== null && !isKept(results[at])) this.#deleteLater(object);
    }
    return results;
  }

  /** Waits for what nobody else waits for. */
  async settle(): Promise<void> {
    await Promise.all(this.#deletions);
  }

  #mayMove(command: Command): boolean {
    if (command.type === 'replace-bodies') return true;
    if (command.type !== 'write' && command.type !== 'put-entry') return false;
    return command.body !== undefined && sizeOf(command.body) >= this.#parts.least;
  }

  async #moved(command: Command): Promise<Moved> {
    if (!this.#mayMove(command)) return { command, object: null };
    if (command.type === 'replace-bodies') {
      const bodies: ReplacedBody[] = [];
      for (const replaced of command.bodies) bodies.push(await this.#replaced(replaced));
      return { command: { ...command, bodies }, object: null };
    }
    if (command.type === 'write') {
      const body = await this.#put(command.body, { identity: { subject: command.actor.subject } });
      return { command: { ...command, body }, object: body.object };
    }
    if (command.type !== 'put-entry' || command.body === undefined) return { command, object: null };
    const body = await this.#put(command.body, {});
    return { command: { ...command, body }, object: body.object };
  }

  /** A body stays where it is, inside or outside, when it is encrypted anew. */
  async #replaced(replaced: ReplacedBody): Promise<ReplacedBody> {
    const stored = await this.#parts.engine.body(replaced.body.id);
    return stored?.object === undefined
      ? replaced
      : { ...replaced, body: await this.#put(replaced.body, {}) };
  }

  /** @throws {EngineFault} busy, where the store does not take it, or too much is on the way to it */
  async #put(body: SealedBody, payer: Payer): Promise<SealedBody & { readonly object: string }> {
    const { store, mayWrite, entropy, clock } = this.#parts;
    const held = this.#onTheWay.begin(payer);
    try {
      if (!held.take(sizeOf(body)))
        throw new EngineFault('too many large states are on their way to the body store', { busy: true });
      await mayWrite();
      const object = entropy.uuid();
      const begun = clock.now();
      await store.put(object, framed(body.segments));
      // A machine that slept meanwhile: the object may have been taken for one that nothing will ever name.
      if (clock.now() - begun > LATE)
        throw new EngineFault('it took too long to put a state into the body store', { busy: true });
      return { ...body, object, segments: [] };
    } finally {
      held.release();
    }
  }

  #deleteLater(object: string): void {
    const { store, log } = this.#parts;
    const done = setImmediate()
      .then(() => store.delete(object))
      .catch((fault: unknown) => {
        log.info('an object that is not needed could not be deleted yet', { object, fault: String(fault) });
      });
    this.#deletions.add(done);
    void done.finally(() => this.#deletions.delete(done));
  }
}

/** Whether the database names the object that came with a command. */
function isKept(result: CommandResult | undefined): boolean {
  const outcome = result?.outcome;
  return outcome?.type === 'noted' || (outcome?.type === 'stored' && !outcome.repeat);
}

function sizeOf({ segments }: SealedBody): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}
