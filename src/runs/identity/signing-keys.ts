import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { House } from '../../house/house.ts';
import type { RecordBodies } from '../../house/records/bodies.ts';
import { defineRecords, type RecordDefinition } from '../../house/records/define.ts';
import { RUN_SIGNING_KEY_KIND } from '../../house/records/kinds.ts';
import type { NamedRecord, Records } from '../../house/records/records.ts';
import type { Entropy } from '../../ports/entropy.ts';

const BITS = 2_048;
/** How long a key signs, and how long it is told of afterwards: longer than any token is good. */
const SIGNS: Milliseconds = 30 * 24 * 3_600_000;
const TOLD: Milliseconds = 3 * 24 * 3_600_000;
const makeKeyPair = promisify(generateKeyPair);

/** A public key, as RFC 7517 writes it. */
export interface PublicKey {
  readonly kty: 'RSA';
  readonly n: string;
  readonly e: string;
  readonly kid: string;
  readonly alg: 'RS256';
  readonly use: 'sig';
}

/** A key under its id; the private one is its body, sealed. */
interface StoredKey {
  readonly n: string;
  readonly e: string;
  readonly createdAt: Instant;
}

const SIGNING_KEYS: RecordDefinition<StoredKey> = defineRecords<StoredKey>(
  RUN_SIGNING_KEY_KIND,
  z.object({ n: z.string(), e: z.string(), createdAt: z.number() }),
);

/** The keys that tokens of runs are signed with: made when they are needed, the same for all nodes, and changed by the time. */
export class SigningKeys {
  readonly #house: Pick<House, 'now'>;
  readonly #bodies: RecordBodies;
  readonly #entropy: Entropy;
  readonly #records: Records<StoredKey>;
  #making: Promise<void> | null = null;

  constructor(options: { house: Pick<House, 'now' | 'records'>; bodies: RecordBodies; entropy: Entropy }) {
    this.#house = options.house;
    this.#bodies = options.bodies;
    this.#entropy = options.entropy;
    this.#records = options.house.records(SIGNING_KEYS);
  }

  /** Those that tokens can be verified by. */
  async told(): Promise<readonly PublicKey[]> {
    const keys = await this.#living();
    return keys.map(({ name, record: { n, e } }) => ({
      kty: 'RSA',
      n,
      e,
      kid: name,
      alg: 'RS256',
      use: 'sig',
    }));
  }

  /** The one that signs now. */
  async current(): Promise<{ readonly id: string; readonly key: KeyObject }> {
    const [newest] = (await this.#living()).toSorted((a, b) => b.record.createdAt - a.record.createdAt);
    const pem =
      newest?.bodyId === undefined || newest.bodyId === null ? null : await this.#bodies.read(newest.bodyId);
    if (newest === undefined || pem === null) throw new Error('the key that signs tokens of runs is gone');
    return { id: newest.name, key: createPrivateKey(Buffer.from(pem)) };
  }

  /** All that are told of; one that signs is made where there is none, and old ones are forgotten. */
  async #living(): Promise<readonly NamedRecord<StoredKey>[]> {
    const now = await this.#house.now();
    const all = await this.#records.list();
    if (!all.some(({ record }) => now - record.createdAt < SIGNS)) {
      this.#making ??= this.#make(now).finally(() => (this.#making = null));
      await this.#making;
      return this.#living();
    }
    const old = all.filter(({ record }) => now - record.createdAt >= SIGNS + TOLD).map(({ name }) => name);
    if (old.length > 0) await this.#records.drop(null, ...old);
    return all.filter(({ name }) => !old.includes(name));
  }

  async #make(createdAt: Instant): Promise<void> {
    const { privateKey } = await makeKeyPair('rsa', { modulusLength: BITS });
    const { n = '', e = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const body = this.#bodies.seal(Buffer.from(pem));
    await this.#records.put(null, this.#entropy.uuid(), { n, e, createdAt }, body);
  }
}
