import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { z } from 'zod';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Audit } from '../audit.ts';
import type { Caller } from '../caller.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { LOGIN_CODE_KIND } from '../records/kinds.ts';
import type { Records } from '../records/records.ts';

/** How long a code is good (RFC 6749, section 4.1.2, recommends ten minutes at most). */
const CODE_LIFE: Milliseconds = 600_000;
/** Codes that are good at a time, and those of one credential. */
const CODES_MAX = 1_000;
const CODES_OF_ONE_MAX = 10;

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A code under the digest of itself. What it stands for is encrypted under the code, which is not kept. */
interface StoredCode {
  readonly subject: string;
  readonly token: string;
  readonly asked: string;
  readonly expiresAt: Instant;
}

export const LOGIN_CODES: RecordDefinition<StoredCode> = defineRecords<StoredCode>(
  LOGIN_CODE_KIND,
  z.object({ subject: z.string(), token: z.string(), asked: z.string(), expiresAt: z.number() }),
);

/** Who asks for a code, and what it has to show again when it redeems it. */
export interface LoginAsk {
  readonly client: string;
  readonly redirectUri: string;
  /** SHA-256 of a secret of the asker's, in base64url (RFC 7636). */
  readonly challenge: string;
}

/** Codes that a program exchanges for the credential which a person has given to the server. */
export class LoginCodes {
  readonly #engine: Engine;
  readonly #entropy: Entropy;
  readonly #audit: Audit;
  readonly #records: Records<StoredCode>;

  constructor(options: { engine: Engine; entropy: Entropy; audit: Audit; records: Records<StoredCode> }) {
    this.#engine = options.engine;
    this.#entropy = options.entropy;
    this.#audit = options.audit;
    this.#records = options.records;
  }

  /** A code for a token, which the caller has shown to have; null where there are too many. */
  async issue(caller: Caller, token: string, ask: LoginAsk): Promise<string | null> {
    const now = await this.#engine.now();
    const known = await this.#records.list();
    const dead = known.filter(({ record }) => record.expiresAt <= now).map(({ name }) => name);
    if (dead.length > 0) await this.#records.drop(null, ...dead);
    const { subject } = caller.identity;
    const living = known.filter(({ name }) => !dead.includes(name));
    const own = living.filter(({ record }) => record.subject === subject);
    if (living.length >= CODES_MAX || own.length >= CODES_OF_ONE_MAX) return null;
    const code = Buffer.from(this.#entropy.bytes(32)).toString('base64url');
    const nonce = this.#entropy.bytes(NONCE_BYTES);
    await this.#records.put(null, nameOf(code), {
      subject,
      token: encrypt(token, code, nonce),
      asked: askedText(ask),
      expiresAt: now + CODE_LIFE,
    });
    this.#audit.note(caller, 'login', null, { client: ask.client });
    return code;
  }

  /**
   * What a code stands for, once: whoever shows it and is not who asked for it has spoilt it.
   * @param verifier the secret of the asker's
   */
  async redeem(code: string, verifier: string, ask: Omit<LoginAsk, 'challenge'>): Promise<string | null> {
    const name = nameOf(code);
    let taken: StoredCode | null = null as StoredCode | null;
    await this.#records.update(null, name, (before) => {
      taken = before;
      return null;
    });
    if (taken === null || taken.expiresAt <= (await this.#engine.now())) return null;
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    return taken.asked === askedText({ ...ask, challenge }) ? decrypt(taken.token, code) : null;
  }
}

function askedText({ client, redirectUri, challenge }: LoginAsk): string {
  return JSON.stringify([client, redirectUri, challenge]);
}

function nameOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

function keyOf(code: string): Buffer {
  return Buffer.from(hkdfSync('sha256', code, '', 'statehouse login code', 32));
}

function encrypt(text: string, code: string, nonce: Uint8Array): string {
  const cipher = createCipheriv(CIPHER, keyOf(code), nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

function decrypt(sealed: string, code: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(CIPHER, keyOf(code), bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([
    decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)),
    decipher.final(),
  ]).toString();
}
