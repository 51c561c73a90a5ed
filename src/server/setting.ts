import { readBoolean, readWholeNumber, type Problem } from '../core/read-value.ts';
import { networkProblem } from './peer.ts';

/** One setting, as the command line, the environment and the documents have it. The key names it: `stateLimit`. */
export interface Setting<T> {
  /** Shown after the option's name in the help; empty for a setting that is on when it is named. */
  readonly placeholder: string;
  readonly help: string;
  /** The default as the help shows it; null where there is none. */
  readonly fallback: string | null;
  /** Reads the text that was given, else the default. */
  readonly read: (text: string | undefined) => T | Problem;
  /** Whether such a text is a secret, which every user of the machine reads when it stands on the command line. */
  readonly isSecret?: (text: string) => boolean;
}

/** A text that need not be given. */
export function optional(
  placeholder: string,
  help: string,
  isSecret: (text: string) => boolean = () => false,
): Setting<string | null> {
  return { placeholder, help, fallback: null, read: (text) => text ?? null, isSecret };
}

/** What is on when it is named. */
export function flag(help: string): Setting<boolean> {
  return { placeholder: '', help, fallback: null, read: (text = '') => readBoolean(text) };
}

/** A whole number within bounds. */
export function whole(
  fallback: number,
  bounds: { readonly from: number; readonly to: number },
  placeholder: string,
  help: string,
): Setting<number> {
  const read = (text: string | undefined): number | Problem =>
    text === undefined ? fallback : readWholeNumber(text, bounds);
  return { placeholder, help, fallback: String(fallback), read };
}

/** Where to listen: HOST:PORT, with an IPv6 address in brackets; every address where no host is named. */
export function readListen(listen: string): { readonly host: string; readonly port: number } | Problem {
  const match = /^(?:\[(.+)\]|([^:]*)):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    return { problem: `invalid address "${listen}": expected HOST:PORT, for example 127.0.0.1:7117` };
  return { host: match[1] ?? (match[2] === '' ? '0.0.0.0' : (match[2] ?? '')), port };
}

/** Addresses and networks, separated by commas. */
export function readNetworks(text = ''): readonly string[] | Problem {
  const networks = text
    .split(',')
    .map((network) => network.trim())
    .filter((network) => network !== '');
  const problem = networks.map((network) => networkProblem(network)).find((found) => found !== null);
  return problem === undefined ? networks : { problem };
}
