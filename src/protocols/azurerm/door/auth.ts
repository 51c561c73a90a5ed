import type { Identity } from '../../../core/grant.ts';
import type { House } from '../../../house/house.ts';
import { sourceOf } from '../../caller.ts';
import type { DoorRequest } from '../../door.ts';
import { presentedBy } from '../../wire/authorization.ts';
import { isLoopback } from '../../wire/loopback.ts';
import { readQuery } from '../../wire/uri.ts';
import type { DetectedRequest, Undetected } from './detect.ts';
import { noCredential, unauthenticated, type AzureError } from './errors.ts';
import { originOf } from './origin.ts';
import { isSasSignedWith, isUserDelegation, readSas, sasRefusal, type Sas } from './sas.ts';
import { isSignedWith, readKeySignature, type KeySignature } from './shared-key.ts';

/** Somebody whom the house knows. */
export interface Authenticated {
  readonly identity: Identity;
  /** Signed beforehand, in its URL. */
  readonly presigned: boolean;
}

/** How far a client's clock may be off (Azure, "Authorize with Shared Key"). */
const CLOCK_SKEW_MAX_MS: number = 15 * 60 * 1_000;

const WRONG =
  'the access key or its signature is wrong: set access_key (or ARM_ACCESS_KEY) to the secret of a Statehouse credential, and storage_account_name to its id in lower case';

const NO_DELEGATION =
  'user delegation signatures are not supported here: no key is given out for one. Make a signature with "statehouse config azurerm PROJECT/KEY --sas", or sign one with the key of the account';

/** Who asks: whose key signed the request or the signature in its URL, or who presents a token or a pair. */
export class Authenticator {
  readonly #house: House;
  readonly #door: { readonly name: string };
  readonly #now: () => number;
  readonly #unsignedBodies: boolean;

  /** @param unsignedBodies whether bodies that no signature covers are taken over plain HTTP from other machines, too */
  constructor(
    house: House,
    door: { readonly name: string },
    { now, unsignedBodies }: { now: () => number; unsignedBodies: boolean },
  ) {
    this.#house = house;
    this.#door = door;
    this.#now = now;
    this.#unsignedBodies = unsignedBodies;
  }

  async authenticate(
    request: DoorRequest,
    asked: DetectedRequest | Undetected,
  ): Promise<Authenticated | AzureError> {
    const header = request.header('authorization');
    const key = readKeySignature(header);
    if (key !== null) return this.#byKey(request, key, asked);
    const query = header === undefined ? (readQuery(request.query) ?? new Map<string, string>()) : new Map();
    if (isUserDelegation(query)) return unauthenticated(NO_DELEGATION);
    const sas = readSas(query, asked.account);
    if (sas !== null) return this.#bySas(request, sas, asked);
    const presented = presentedBy(request);
    const source = sourceOf(this.#door, request);
    const identity = await this.#house.identity.authenticate(presented, source);
    if (identity !== null) return { identity, presigned: false };
    return presented === null && header === undefined
      ? noCredential(originOf(request))
      : unauthenticated(
          'the credential is invalid: expected a token of this server, or ID.SECRET of a Statehouse credential, as Bearer',
        );
  }

  async #byKey(
    request: DoorRequest,
    signature: KeySignature,
    { account }: { account: string },
  ): Promise<Authenticated | AzureError> {
    const signer = signature.account.slice(signature.account.lastIndexOf('/') + 1);
    const date = Date.parse(request.header('x-ms-date') ?? request.header('date') ?? '');
    const skewed = Number.isNaN(date) || Math.abs(date - this.#now()) > CLOCK_SKEW_MAX_MS;
    const identity = await this.#signed(request, signer, (secret) =>
      isSignedWith(secret, request, signature),
    );
    if (identity === null) return unauthenticated(WRONG);
    if (skewed)
      return unauthenticated(
        'the date of the request (x-ms-date) is missing, or more than 15 minutes off: set the clock of the client',
      );
    if (signer.toLowerCase() !== account)
      return unauthenticated(`the request is signed with the key of another account than "${account}"`);
    if (!this.#unsignedBodies && isOpenToChange(request))
      return unauthenticated(
        'Shared Key signs no body: use https, or send Content-MD5, or start the server with --allow-unsigned-bodies where a proxy before it ends TLS',
      );
    return { identity, presigned: false };
  }

  async #bySas(
    request: DoorRequest,
    sas: Sas,
    asked: DetectedRequest | Undetected,
  ): Promise<Authenticated | AzureError> {
    const place = 'operation' in asked ? asked : { container: '', blob: '' };
    const verify = (secret: string): boolean => isSasSignedWith(secret, sas, place);
    const identity = await this.#signed(request, sas.policy ?? sas.account, verify);
    if (identity === null)
      return unauthenticated(
        'the shared access signature is wrong: make one with "statehouse config azurerm PROJECT/KEY --sas"',
      );
    const refusal = 'operation' in asked ? sasRefusal(sas, request, asked, this.#now()) : null;
    return refusal ?? { identity, presigned: true };
  }

  /** An account's name is the id of a credential in lower case, since Azure's have no other letters. */
  async #signed(
    request: DoorRequest,
    account: string,
    verify: (secret: string) => boolean,
  ): Promise<Identity | null> {
    const { identity } = this.#house;
    const upper = account.toUpperCase();
    const keyId = (await identity.claimed(upper)) === null ? account : upper;
    const presented = { kind: 'signed', keyId, token: null, verify } as const;
    return identity.authenticate(presented, sourceOf(this.#door, request));
  }
}

/** Whether somebody between client and house could change the body, which Shared Key covers only where its MD5 is sent. */
function isOpenToChange({ secure, remoteAddress, contentLength, header }: DoorRequest): boolean {
  if (secure || isLoopback(remoteAddress) || header('content-md5') !== undefined) return false;
  return contentLength === null ? header('transfer-encoding') !== undefined : contentLength > 0;
}
