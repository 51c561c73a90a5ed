import type { House } from '../house/house.ts';
import type { Undelivered } from '../house/locks/unheard.ts';
import type { Runs } from '../runs/runs.ts';
import type { LockObjects } from './lock-object/lock-objects.ts';
import type { AwsService } from './aws/service.ts';

/**
 * A door is the server side of one protocol. It translates and nothing else: it authenticates, detects the operation,
 * calls the house, and maps the outcome to the protocol's own answer.
 */
export interface Door {
  readonly name: string;
  readonly routes: DoorRoutes;
  /** Answers every request that is its own; throws only on faults, which the server answers with {@link Door.fault}. */
  answer(request: DoorRequest): Promise<DoorReply>;
  /** The protocol's own words for "cannot say now": a 5xx, never a "no such state". The message is safe to be told. */
  fault(request: DoorRequest, message: string): DoorReply;
  /** The protocol's own words for "too many requests", which its clients try again; null where every request is answered. */
  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply | null;
}

/**
 * Which requests are a door's: those that were signed for a service of AWS, whatever their path, since a bucket may have any
 * name; or those to certain paths. `/http/*` is every path that begins with `/http/`; of two that fit, the longer one counts. With
 * `takes`, those that it says are its own, whatever their path: an account of Azure is a host's label. With `header`, those to no
 * door's path that have this header, and with `bearer` those that show a bearer token: Google's clients read at `/BUCKET/OBJECT`.
 * With `afterBearer`, its paths are those of other requests only: a bucket may have any name.
 */
export type DoorRoutes =
  | { readonly aws: AwsService }
  | {
      readonly paths: readonly string[];
      readonly takes?: (request: Pick<DoorRequest, 'header' | 'query'>) => boolean;
      readonly header?: string;
      readonly bearer?: true;
      readonly afterBearer?: true;
    };

/** How the doors of AWS's services are to behave. */
export interface S3Settings {
  /** The number of the account that everything here belongs to. */
  readonly account: string;
  /** What is not done is refused, where it is confirmed otherwise. */
  readonly strict: boolean;
  /** Bodies that are not signed are taken over plain HTTP from other machines, too: a proxy before the house ends TLS. */
  readonly unsignedBodies: boolean;
  /** Admins may delete single versions, and so empty a bucket; otherwise nobody may. */
  readonly deleteVersions: boolean;
}

/** What a door may be opened with. */
export interface DoorParts {
  readonly house: House;
  /** The machine's clock. */
  readonly now: () => number;
  /** The name under which the house is reached, so that a name before it is a bucket's; or null. */
  readonly domain: string | null;
  readonly s3: S3Settings;
  /** One for all doors where a lock is an object. */
  readonly lockObjects: LockObjects;
  /** What the house executes itself; null where it executes nothing. */
  readonly runs: Runs | null;
  /** Aborted when the house begins to close: what is held open ends. */
  readonly closing: AbortSignal;
}

/** A door as the list of all doors has it: cheap to load, since its code is loaded by {@link DoorEntry.load}, or when it is opened. */
export interface DoorEntry {
  /** Its backend block's type, where it has one. */
  readonly name: string;
  /** The line for it at `/`, where the house says what it is; null for a door that another's line speaks of. */
  readonly listed: { readonly at: string; readonly what: string } | null;
  /** Loads its code, so that it is opened at once. */
  readonly load: () => Promise<unknown>;
  readonly open: (parts: DoorParts) => Promise<Door>;
}

/** One HTTP request, as raw as the wire had it: signatures are over these very characters. */
export interface DoorRequest {
  /** Names the request in its answer, in logs and in the audit log. Made by the server. */
  readonly id: string;
  readonly method: string;
  /** Path and query as they came, percent-escapes and all. */
  readonly target: string;
  /** The part of the target before "?". */
  readonly path: string;
  /** The part of the target after "?", or "". */
  readonly query: string;
  /** Names and values in turns, as sent. */
  readonly rawHeaders: readonly string[];
  /** The values of a header, joined by ", " where it was repeated. The name in lower case. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** null when the body comes in chunks of unknown sum. */
  readonly contentLength: number | null;
  /**
   * Network address of the client, or of its proxy if that is not one that is trusted: for the log, for its share of what comes
   * in, and to name waiters by.
   */
  readonly peer: string;
  /** The port of the client or its proxy: the same for as long as the connection lasts. */
  readonly peerPort: number;
  /** Who holds the connection: the client, or the last proxy on its way. */
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** The client's own connection is encrypted, by TLS here or as a proxy that is trusted says. */
  readonly clientSecure: boolean;
  /** Where people find the server, without a slash at the end; null where nothing says it. */
  readonly origin: string | null;
  /** The names of the client's certificate, which the listener has verified; none without one. */
  readonly certificateNames: readonly string[];
  /** Takes room for bytes of the body that are in memory until the answer; false where there is none for them. */
  readonly keep: (bytes: number) => boolean;
  /** Counts the request as a credential's, once it is known whose it is. @returns null, or in how many seconds to come again */
  readonly admit: (subject: string) => number | null;
  /** Aborted when the connection closes before the answer has been sent whole. */
  readonly gone: AbortSignal;
}

export interface DoorReply {
  /** What was asked, by its name in the door's table: a label for logs and metrics. `unknown` for what no row fits. */
  readonly operation: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** The content security policy of a page of our own, in place of the one under which nothing runs. */
  readonly page?: string;
  /** Called when the connection closed before the answer was sent whole: takes back a grant that nobody heard of. */
  readonly undelivered?: Undelivered;
  /**
   * The body has no end of its own and goes on until the client leaves, which is no failure to deliver it. Aborted when the
   * connection is to be closed at once, whatever has been read.
   */
  readonly live?: AbortSignal;
  /** Whoever asked was refused for its credential: told of in the log, and put off when it happens often. Default false. */
  readonly stranger?: boolean;
}
