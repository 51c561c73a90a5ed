import type { Address } from '../core/address.ts';
import type { SealedBody } from '../core/command.ts';

/** A body under a new data key, and the wrapped key of the one that it takes the place of. */
export interface ReplacedBody {
  readonly body: SealedBody;
  readonly replaces: Uint8Array;
}

/** A body among all. */
export interface BodyMark {
  readonly id: string;
  /** What to go on after. */
  readonly place: string;
  /** The master key under which its data key was made; null where that is not known. */
  readonly madeUnder: string | null;
}

/** A sealed thing that is not a body: where it stands, and what it says under the old key and under the new one. */
export type Resealed =
  | {
      readonly kind: 'body';
      readonly id: string;
      readonly keyId: string;
      readonly wrappedKey: Uint8Array;
      /** The wrapping that it was made of: where there is another by now, it is left alone. Absent: nothing is compared. */
      readonly replaces?: Uint8Array;
    }
  | { readonly kind: 'credential'; readonly id: string; readonly sealed: Uint8Array }
  /** The key that rows are authenticated with. */
  | { readonly kind: 'row-key'; readonly sealed: Uint8Array }
  | {
      readonly kind: 'holder';
      readonly address: Address;
      readonly lockId: string;
      readonly sealed: Uint8Array;
    }
  | {
      readonly kind: 'place';
      readonly address: Address;
      readonly waiter: string;
      readonly sealed: Uint8Array;
    };
