import { randomBytes } from 'node:crypto';
import { BODY_STORE, BodyStoreClaim } from '../../../src/house/bodies/claim.ts';
import { BodyKeeper } from '../../../src/house/bodies/keeper.ts';
import { withOutsideBodies } from '../../../src/house/bodies/outside.ts';
import type { HouseOptions } from '../../../src/house/options.ts';
import type { BodyStore } from '../../../src/ports/body-store.ts';
import type { Engine } from '../../../src/ports/engine.ts';
import type { Log } from '../../../src/ports/log.ts';
import { systemEntropy } from '../../../src/server/runtime.ts';
import type { ManualClock } from '../../../src/contract/manual-clock.ts';
import { MemoryBodyStore } from '../../support/memory-body-store.ts';
import { sampleState } from '../../support/sample-state.ts';
import { BuiltHouse, settled, type EngineName } from '../fixtures/built-house.ts';

const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What looks after a store for a database. */
export interface Kept {
  readonly claim: BodyStoreClaim;
  readonly keeper: BodyKeeper;
}

/** The claim and the keeper of a server on an engine. */
export function keptFor(
  engine: Engine,
  clock: ManualClock,
  store: BodyStore,
  { kept = 0, takesOver = false, node = 'node' }: { kept?: number; takesOver?: boolean; node?: string } = {},
): Kept {
  const records = BODY_STORE.of({ engine, clock });
  const claim = new BodyStoreClaim({ store, records, clock, entropy: systemEntropy, takesOver });
  const keeper = new BodyKeeper({ engine, store, claim, records, clock, log: SILENT, node, kept });
  return { claim, keeper };
}

/** A house whose large bodies are in a store in memory, looked after when a test says so. */
export class OutsideHouse implements AsyncDisposable {
  readonly built: BuiltHouse;
  readonly store: MemoryBodyStore;
  readonly kept: Kept;

  private constructor(built: BuiltHouse, store: MemoryBodyStore, kept: Kept) {
    this.built = built;
    this.store = store;
    this.kept = kept;
  }

  static async build(
    name: EngineName,
    changes: Partial<HouseOptions> = {},
    store: MemoryBodyStore = new MemoryBodyStore(),
  ): Promise<OutsideHouse> {
    let kept: Kept | null = null;
    const limits = { stateBytesMax: 4_000_000, inFlightBytesMax: 16_000_000 };
    const built = await BuiltHouse.build(name, { ...limits, ...changes }, (engine, clock) => {
      // The database notes by its own clock since when objects are gone.
      clock.advance(Date.now() - clock.now());
      const mine = keptFor(engine, clock, store);
      kept = mine;
      return withOutsideBodies({
        engine,
        store,
        mayWrite: () => mine.claim.require(),
        entropy: systemEntropy,
        clock,
        log: SILENT,
        least: 64 * 1024,
        bytesMax: 4_000_000,
        bodyMax: 1_000_000,
      });
    });
    return new OutsideHouse(built, store, kept!);
  }

  /** Waits for what nobody waits for. */
  settle(): Promise<void> {
    return settled();
  }

  /** Has time go by, for the house and for the store. */
  pass(milliseconds: number): void {
    this.built.clock.advance(milliseconds);
    this.store.now = () => this.built.clock.now();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.built[Symbol.asyncDispose]();
  }
}

/** A state that hardly can be compressed. */
export function large(serial: number, megabytes = 0.3): string {
  return sampleState(serial, { said: randomBytes(megabytes * 700_000).toString('base64') });
}
