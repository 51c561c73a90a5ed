import type { Identity } from '../../core/grant.ts';
import type { Claimed } from '../../house/identity/presented.ts';
import type { House } from '../../house/house.ts';
import type { DoorRequest } from '../door.ts';
import { sha256Hex } from './canonical.ts';
import { parseSignature, type SignatureProblem } from './signature.ts';
import { problemBeforeBody, SigningKeys, verifySignature, type Verified } from './verify.ts';

/** Someone whose signature is right. */
export interface Authenticated {
  readonly identity: Identity;
  readonly verified: Verified;
  /** The credential's id, which AWS calls the access key id. */
  readonly accessKeyId: string;
}

export type NotAuthenticated =
  | SignatureProblem
  /** The signature was made with a key that nobody here has. */
  | { readonly problem: 'unknown-key'; readonly accessKeyId: string };

/** Whether somebody else's key or a wrong secret was tried, and not only a request written wrongly or sent late. */
export function isStranger({ problem }: { readonly problem: string }): boolean {
  return problem === 'unknown-key' || problem === 'mismatch';
}

/** Checks who signed a request. */
export class AwsAuthenticator {
  readonly #house: House;
  readonly #now: () => number;
  readonly #keys = new SigningKeys();

  /** @param now the machine's clock, which clients' clocks are compared with */
  constructor(house: House, now: () => number) {
    this.#house = house;
    this.#now = now;
  }

  /** @param payloadHash the hash of the body, or what stands for it in the canonical request */
  async authenticate(request: DoorRequest, payloadHash: string): Promise<Authenticated | NotAuthenticated> {
    const signature = parseSignature(request);
    if ('problem' in signature) return signature;
    const { accessKeyId } = signature;
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
    const identity = await this.#house.identity.authenticate({ kind: 'signed', keyId: accessKeyId, verify });
    const { verdict } = found;
    if (verdict !== null && 'problem' in verdict) return verdict;
    if (verdict === null || identity === null) return { problem: 'unknown-key', accessKeyId };
    return { identity, verified: verdict, accessKeyId };
  }

  /**
   * What can be said before the body has come, where that is part of what was signed: nothing is read for who could not be
   * admitted in any case.
   * @returns whose key it claims to be signed with, which is not proven yet
   */
  async foresee(request: DoorRequest): Promise<Claimed | NotAuthenticated> {
    const signature = parseSignature(request);
    if ('problem' in signature) return signature;
    const problem = problemBeforeBody(request, signature, this.#now());
    if (problem !== null) return problem;
    const { accessKeyId } = signature;
    return (await this.#house.identity.claimed(accessKeyId)) ?? { problem: 'unknown-key', accessKeyId };
  }

  /** The same for services other than S3, whose signature covers the whole body. */
  authenticateWithBody(request: DoorRequest, body: Uint8Array): Promise<Authenticated | NotAuthenticated> {
    return this.authenticate(request, sha256Hex(body));
  }
}
