import type { Identity } from '../../core/grant.ts';
import type { Claimed } from '../../house/identity/presented.ts';
import type { House } from '../../house/house.ts';
import { sourceOf } from '../caller.ts';
import type { DoorRequest } from '../door.ts';
import { sha256Hex } from './canonical.ts';
import { parseSignature, type Signature, type SignatureProblem } from './signature.ts';
import { problemBeforeBody, SigningKeys, verifySignature, type Verified } from './verify.ts';

/** Someone whose signature is right. */
export interface Authenticated {
  readonly identity: Identity;
  readonly verified: Verified;
  /** The id of the credential or of its session, which AWS calls the access key id. */
  readonly accessKeyId: string;
}

export type NotAuthenticated =
  | SignatureProblem
  /** The signature was made with a key that nobody here has. */
  | { readonly problem: 'unknown-key'; readonly accessKeyId: string }
  /** The session token is not one that was given out with that key, or its credential is no more. */
  | { readonly problem: 'bad-token' };

/** Whether somebody else's key or a wrong secret was tried, and not only a request written wrongly or sent late. */
export function isStranger({ problem }: { readonly problem: string }): boolean {
  return problem === 'unknown-key' || problem === 'bad-token' || problem === 'mismatch';
}

/** Checks who signed a request. */
export class AwsAuthenticator {
  readonly #door: { readonly name: string };
  readonly #house: House;
  readonly #now: () => number;
  readonly #service: string | null;
  readonly #keys = new SigningKeys();

  /**
   * @param door whose requests they are
   * @param now the machine's clock, which clients' clocks are compared with
   * @param service the one whose requests are asked here, as signatures name it: a signature for another opens nothing. null
   *   where it depends on what is asked
   */
  constructor(
    door: { readonly name: string },
    house: House,
    { now, service }: { now: () => number; service: string | null },
  ) {
    this.#door = door;
    this.#house = house;
    this.#now = now;
    this.#service = service;
  }

  /** @param payloadHash the hash of the body, or what stands for it in the canonical request */
  async authenticate(request: DoorRequest, payloadHash: string): Promise<Authenticated | NotAuthenticated> {
    const signature = parseSignature(request);
    const source = sourceOf(this.#door, request);
    if ('problem' in signature) {
      await this.#house.identity.authenticate(null, source);
      return signature;
    }
    const { accessKeyId, scope, token } = signature;
    const expected = this.#service ?? scope.service;
    if (scope.service !== expected) return { problem: 'wrong-service', expected };
    // Stays null where the house knows no secret to verify with.
    const found: { verdict: Verified | SignatureProblem | null } = { verdict: null };
    const verify = (secret: string): boolean => {
      const verdict = verifySignature(request, signature, {
        secret,
        payloadHash,
        now: this.#now(),
        keys: this.#keys,
      });
      found.verdict = verdict;
      return !('problem' in verdict);
    };
    const identity = await this.#house.identity.authenticate(
      { kind: 'signed', keyId: accessKeyId, token, verify },
      source,
    );
    const { verdict } = found;
    if (verdict !== null && 'problem' in verdict) return verdict;
    if (verdict === null || identity === null) return unknown(signature);
    return { identity, verified: verdict, accessKeyId };
  }

  /**
   * What can be said before the body has come, where that is part of what was signed: nothing is read for who could not be
   * admitted in any case.
   * @returns whose key it claims to be signed with, which is not proven yet
   */
  async foresee(request: DoorRequest): Promise<Claimed | NotAuthenticated> {
    const signature = parseSignature(request);
    const source = sourceOf(this.#door, request);
    if ('problem' in signature) {
      await this.#house.identity.authenticate(null, source);
      return signature;
    }
    const { accessKeyId, token } = signature;
    const problem = problemBeforeBody(request, signature, this.#now());
    const claimed = problem === null ? await this.#house.identity.claimed(accessKeyId, token) : null;
    if (claimed !== null) return claimed;
    await this.#house.identity.authenticate(
      { kind: 'signed', keyId: accessKeyId, token, verify: () => false },
      source,
    );
    return problem ?? unknown(signature);
  }

  /** The same for services other than S3, whose signature covers the whole body. */
  authenticateWithBody(request: DoorRequest, body: Uint8Array): Promise<Authenticated | NotAuthenticated> {
    return this.authenticate(request, sha256Hex(body));
  }
}

function unknown({ accessKeyId, token }: Signature): NotAuthenticated {
  return token === null ? { problem: 'unknown-key', accessKeyId } : { problem: 'bad-token' };
}
