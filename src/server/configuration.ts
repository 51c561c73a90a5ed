import type { Retention } from '../core/retention.ts';
import type { LogLevel } from './runtime.ts';

/** Where the house keeps everything. */
export type Store =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }
  /** Kept in memory and gone with the process: for tests and demonstrations. */
  | { readonly kind: 'memory' };

export type Tls =
  | { readonly kind: 'none' }
  | { readonly kind: 'files'; readonly cert: string; readonly key: string }
  | { readonly kind: 'self-signed' };

/** All that `statehouse serve` can be told. */
export interface Configuration {
  readonly host: string;
  readonly port: number;
  /** The name under which clients reach the house, so that a name before it can be a bucket's; null if it has none. */
  readonly domain: string | null;
  readonly store: Store;
  readonly tls: Tls;
  /** Text of the master keys; null to use the file. */
  readonly masterKeys: string | null;
  /** Path of the master key file; null for the one in the data directory. */
  readonly masterKeyFile: string | null;
  /** `id.secret` of an admin that must exist; null to make one at the first start. */
  readonly adminCredential: string | null;
  readonly stateBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly plansShare: boolean;
  readonly retention: Retention;
  readonly logLevel: LogLevel;
  /** How long open requests may take to end when the house is told to stop. */
  readonly shutdownMs: number;
}

export const DEFAULT_PORT = 7117;
const MEBIBYTE = 1_048_576;

/** What holds where nothing else is said. */
export const DEFAULTS: Configuration = {
  host: '127.0.0.1',
  port: DEFAULT_PORT,
  domain: null,
  store: { kind: 'directory', path: './statehouse-data' },
  tls: { kind: 'none' },
  masterKeys: null,
  masterKeyFile: null,
  adminCredential: null,
  stateBytesMax: 512 * MEBIBYTE,
  inFlightBytesMax: 1_024 * MEBIBYTE,
  plansShare: true,
  retention: {},
  logLevel: 'info',
  shutdownMs: 20_000,
};
