import type { Identity } from '../../core/grant.ts';

/** What a request shows to say who sent it, as its door read it. */
export type Presented =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** The names of a client certificate that the server has verified, such as `cert:dns:build.example.com`. */
  | { readonly kind: 'certificate'; readonly names: readonly string[] }
  /** What a browser was given when somebody signed in at the page. */
  | { readonly kind: 'page-session'; readonly token: string }
  | {
      readonly kind: 'signed';
      readonly keyId: string;
      /** What was sent beside the signature of a session; null where nothing was. */
      readonly token: string | null;
      /** Whether the request was signed with this secret. */
      readonly verify: (secret: string) => boolean;
    };

/** Whose credential a request says it was signed with. Nothing of it is proven. */
export interface Claimed {
  readonly identity: Identity;
}

/** Knows the identities of one kind of credential. */
export interface Authenticator {
  /** Who presents this; null when it is not of this kind, or not valid. An expired identity is given, and says so. */
  readonly authenticate: (presented: Presented) => Promise<Identity | null>;
  /** What is known of the key of this id, before anybody has shown to have its secret; null where it is unknown. */
  readonly claimed: (keyId: string, token: string | null) => Promise<Claimed | null>;
}
