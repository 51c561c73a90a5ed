import type { Address } from '../core/address.ts';
import type { Entropy } from '../ports/entropy.ts';
import { Budget, sharesOf } from '../house/budget.ts';
import type { Busy, Caller, Shut } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { RecordBodies } from '../house/records/bodies.ts';
import type { Records } from '../house/records/records.ts';
import { newResourceId } from './ids.ts';
import { CONFIGURATION_BODIES, CONFIGURATIONS, type StoredConfiguration } from './records.ts';
import { ArchiveError } from './slug/tar.ts';
import { checkSlug } from './slug/unpack.ts';

/** Bytes of one archive. */
const SLUG_BYTES_MAX: number = 64 * 1_024 * 1_024;
/** Bytes of the archives that are coming in at a time. */
const IN_FLIGHT_MAX: number = 4 * SLUG_BYTES_MAX;

/** A version of a workspace's configuration. */
export interface Configuration extends StoredConfiguration {
  readonly id: string;
}

/** What may be said to an archive. */
export type UploadAnswer =
  | { readonly type: 'uploaded'; readonly configuration: Configuration }
  | { readonly type: 'too-large'; readonly limit: number }
  | { readonly type: 'invalid'; readonly problem: string }
  | { readonly type: 'absent' }
  | Busy;

/** The configurations that runs are made of. */
export class Configurations {
  readonly #house: House;
  readonly #bodies: RecordBodies;
  readonly #entropy: Entropy;
  readonly #records: Records<StoredConfiguration>;
  readonly #archives: Records<{ readonly size: number }>;
  readonly #inFlight = new Budget(sharesOf(IN_FLIGHT_MAX, SLUG_BYTES_MAX));

  constructor(options: { house: House; bodies: RecordBodies; entropy: Entropy }) {
    this.#house = options.house;
    this.#bodies = options.bodies;
    this.#entropy = options.entropy;
    this.#records = options.house.records(CONFIGURATIONS);
    this.#archives = options.house.records(CONFIGURATION_BODIES);
  }

  /** Makes one, whose archive is yet to come. */
  async create(
    caller: Caller,
    address: Address,
    { speculative, provisional }: Pick<Configuration, 'speculative' | 'provisional'>,
  ): Promise<{ readonly type: 'created'; readonly configuration: Configuration } | Shut> {
    const refusal = await this.#house.gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const stored: StoredConfiguration = {
      address,
      status: 'pending',
      speculative,
      provisional,
      createdAt: await this.#house.now(),
      createdBy: caller.identity.subject,
      size: null,
      problem: null,
      run: null,
    };
    const id = newResourceId('cv', this.#entropy);
    await this.#records.put(null, id, stored);
    return { type: 'created', configuration: { id, ...stored } };
  }

  /** One that the caller may see. */
  async show(
    caller: Caller,
    id: string,
  ): Promise<
    { readonly type: 'shown'; readonly configuration: Configuration } | { readonly type: 'absent' } | Shut
  > {
    const configuration = await this.find(id);
    if (configuration === null) return { type: 'absent' };
    const refusal = await this.#house.gate.on(caller, 'read', configuration.address);
    return refusal ?? { type: 'shown', configuration };
  }

  /** One, for who has been let in already; null when there is none. */
  async find(id: string): Promise<Configuration | null> {
    const stored = await this.#records.one(id);
    return stored === null ? null : { id, ...stored };
  }

  /**
   * Takes an archive in. Whoever knows where to send it may: that was told to the one who made the configuration alone.
   * An archive that may not be unpacked is refused, and nothing of it is kept.
   */
  async upload(
    caller: Pick<Caller, 'peer'>,
    id: string,
    stream: AsyncIterable<Uint8Array>,
  ): Promise<UploadAnswer> {
    const configuration = await this.find(id);
    if (configuration === null) return { type: 'absent' };
    // The archive that was sent already stays: a second one would change what a run was made of.
    if (configuration.status !== 'pending') return { type: 'uploaded', configuration };
    const packer = this.#bodies.begin();
    const held = this.#inFlight.begin({ identity: { subject: configuration.createdBy }, ...caller });
    const taken = { size: 0, answer: null as UploadAnswer | null };
    try {
      await checkSlug(
        tapped(stream, (chunk) => {
          taken.size += chunk.length;
          if (taken.size > SLUG_BYTES_MAX) taken.answer = { type: 'too-large', limit: SLUG_BYTES_MAX };
          else if (!held.take(chunk.length)) taken.answer = { type: 'busy', retryAfterSeconds: 1 };
          if (taken.answer !== null) throw new Refused();
          packer.push(chunk);
        }),
      );
    } catch (fault) {
      if (taken.answer !== null) return taken.answer;
      if (!(fault instanceof ArchiveError)) throw fault;
      await this.#settle(id, { status: 'errored', problem: fault.message });
      return { type: 'invalid', problem: fault.message };
    } finally {
      held.release();
    }
    await this.#archives.put(null, id, { size: taken.size }, packer.finish());
    const settled = await this.#settle(id, { status: 'uploaded', size: taken.size });
    return settled === null ? { type: 'absent' } : { type: 'uploaded', configuration: settled };
  }

  /** The bytes of an archive; null when it is gone. */
  async archive(id: string): Promise<AsyncIterable<Uint8Array> | null> {
    const bodyId = await this.#archives.bodyOf(id);
    return bodyId === null ? null : this.#bodies.open(bodyId);
  }

  /** Remembers the run that is made of a configuration, unless another was. @returns the run that is remembered now */
  async claim(id: string, run: string): Promise<string | null> {
    const after = await this.#records.update(null, id, (before) =>
      before === null || before.run !== null ? before : { ...before, run },
    );
    return after?.run ?? null;
  }

  async drop(id: string): Promise<void> {
    await this.#archives.drop(null, id);
    await this.#records.drop(null, id);
  }

  /** Forgets those made before a moment that nothing needs any more. */
  async dropAllBut(needed: ReadonlySet<string>, before: number): Promise<void> {
    for await (const page of this.#records.pages())
      for (const { name, record } of page)
        if (record.createdAt < before && !needed.has(name)) await this.drop(name);
  }

  async #settle(id: string, change: Partial<StoredConfiguration>): Promise<Configuration | null> {
    const after = await this.#records.update(null, id, (before) =>
      before === null ? null : { ...before, ...change },
    );
    return after === null ? null : { id, ...after };
  }
}

/** What a stream is broken off with whose sender got an answer already. */
class Refused extends Error {}

async function* tapped(
  stream: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    see(chunk);
    yield chunk;
  }
}
