import { BODY_STORE, BodyStoreClaim } from '../../house/bodies/claim.ts';
import { BodyKeeper } from '../../house/bodies/keeper.ts';
import { withOutsideBodies } from '../../house/bodies/outside.ts';
import type { BodyStore } from '../../ports/body-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Log } from '../../ports/log.ts';
import type { BodyPlace } from './place.ts';
import type { Configuration } from '../configuration.ts';
import { systemEntropy } from '../runtime.ts';
import { MeasuredStore } from './measured.ts';

/** A store of bodies beside the database, and the engine whose large bodies are in it. */
export interface OpenBodies {
  readonly engine: Engine;
  readonly store: MeasuredStore;
  readonly keeper: BodyKeeper;
}

/** Opens the store at a place; the code for it is loaded only then. Nothing is asked of it yet. */
export async function openBodyStore(place: BodyPlace, env: Environment): Promise<BodyStore> {
  switch (place.kind) {
    case 's3': {
      const { S3BodyStore } = await import('../../protocols/s3/client/body-store.ts');
      return new S3BodyStore(place, env);
    }
    case 'gs': {
      const { GcsBodyStore } = await import('../../protocols/gcs/client/body-store.ts');
      return new GcsBodyStore(place, env);
    }
    case 'azblob': {
      const { AzureBodyStore } = await import('../../protocols/azurerm/client/body-store.ts');
      return new AzureBodyStore(place, env);
    }
  }
}

/** Opens the store of bodies beside an engine. */
export async function openBodies(
  {
    bodies,
    stateBytesMax,
    inFlightBytesMax,
  }: Pick<Configuration, 'stateBytesMax' | 'inFlightBytesMax'> & {
    readonly bodies: NonNullable<Configuration['bodies']>;
  },
  engine: Engine,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<OpenBodies> {
  const store = new MeasuredStore(await openBodyStore(bodies.place, process.env));
  const entropy = systemEntropy;
  const records = BODY_STORE.of({ engine, clock });
  const claim = new BodyStoreClaim({ store, records, clock, entropy, takesOver: bodies.takesOver });
  const keeper = new BodyKeeper({
    engine,
    store,
    claim,
    records,
    clock,
    log,
    node: entropy.uuid(),
    kept: bodies.kept,
  });
  const mayWrite = (): Promise<void> => claim.require();
  const outside = withOutsideBodies({
    engine,
    store,
    mayWrite,
    entropy,
    clock,
    log,
    least: bodies.least,
    bytesMax: inFlightBytesMax,
    bodyMax: stateBytesMax,
  });
  return { engine: outside, store, keeper };
}
