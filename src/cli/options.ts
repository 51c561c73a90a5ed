import { readDuration } from './duration.ts';
import { wrongUse } from './failure.ts';

/** What one option is. Its name is its key in the command's `options`: `lockTimeout` is `--lock-timeout`. */
export interface OptionSpec<T> {
  readonly kind: 'flag' | 'value' | 'list';
  /** Shown after the option's name in the help; empty for a flag. */
  readonly placeholder: string;
  readonly help: string;
  readonly short: string | null;
  /** Whether `STATEHOUSE_…` of the same name may give it. Off for what must be said each time, such as `--yes`. */
  readonly environment: boolean;
  /** From all texts given, in order; none when the option was not given. Throws a Failure on a bad one. */
  readonly read: (texts: readonly string[]) => T;
  /** Shown in the help. */
  readonly fallback: string | null;
}

export type Options = Readonly<Record<string, OptionSpec<unknown>>>;
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends OptionSpec<infer T> ? T : never;
};

interface Extras {
  readonly short?: string;
  readonly environment?: boolean;
}

function spec<T>(
  base: Pick<OptionSpec<T>, 'kind' | 'placeholder' | 'help' | 'read'> & { fallback?: string | null },
  extras: Extras,
): OptionSpec<T> {
  return {
    kind: base.kind,
    placeholder: base.placeholder,
    help: base.help,
    read: base.read,
    fallback: base.fallback ?? null,
    short: extras.short ?? null,
    environment: extras.environment ?? true,
  };
}

/** `--yes`: false unless given. */
export function flag(help: string, extras: Extras = {}): OptionSpec<boolean> {
  return spec({ kind: 'flag', placeholder: '', help, read: (texts) => readBoolean(texts.at(-1)) }, extras);
}

/** `--chdir DIR`: a text, or undefined. */
export function text(placeholder: string, help: string, extras: Extras = {}): OptionSpec<string | undefined> {
  return spec({ kind: 'value', placeholder, help, read: (texts) => texts.at(-1) }, extras);
}

/** `--listen HOST:PORT`: a text, with a default. */
export function textOr(
  fallback: string,
  placeholder: string,
  help: string,
  extras: Extras = {},
): OptionSpec<string> {
  return spec(
    { kind: 'value', placeholder, help, fallback, read: (texts) => texts.at(-1) ?? fallback },
    extras,
  );
}

/** `--backend-config K=V`, as often as wanted. */
export function texts(placeholder: string, help: string, extras: Extras = {}): OptionSpec<readonly string[]> {
  return spec({ kind: 'list', placeholder, help, read: (given) => given }, extras);
}

/** `--lock-timeout 5m`, in milliseconds. */
export function duration(
  fallback: string,
  placeholder: string,
  help: string,
  extras: Extras = {},
): OptionSpec<number> {
  const read = (given: readonly string[]): number => readDuration(given.at(-1) ?? fallback);
  return spec({ kind: 'value', placeholder, help, fallback, read }, extras);
}

/** `--limit 20`: a whole number within bounds. */
export function wholeNumber(
  fallback: number,
  bounds: { readonly from: number; readonly to: number },
  placeholder: string,
  help: string,
  extras: Extras = {},
): OptionSpec<number> {
  const read = (given: readonly string[]): number => {
    const last = given.at(-1);
    if (last === undefined) return fallback;
    const value = Number(last);
    if (!/^\d+$/.test(last) || value < bounds.from || value > bounds.to) {
      throw wrongUse(`"${last}" is no whole number from ${bounds.from} to ${bounds.to}`);
    }
    return value;
  };
  return spec({ kind: 'value', placeholder, help, fallback: String(fallback), read }, extras);
}

/** `--format table|json`: one of a few words. */
export function oneOf<const T extends string>(
  words: readonly T[],
  fallback: T,
  help: string,
  extras: Extras = {},
): OptionSpec<T> {
  const read = (given: readonly string[]): T => {
    const last = given.at(-1) ?? fallback;
    const word = words.find((candidate) => candidate === last);
    if (word === undefined) throw wrongUse(`"${last}" is none of ${words.join(', ')}`);
    return word;
  };
  return spec({ kind: 'value', placeholder: words.join('|'), help, fallback, read }, extras);
}

/** `lockTimeout` is `--lock-timeout`. */
export function flagName(key: string): string {
  return `--${dashed(key)}`;
}

/** `lockTimeout` is `STATEHOUSE_LOCK_TIMEOUT`. */
export function environmentName(key: string): string {
  return `STATEHOUSE_${dashed(key).replaceAll('-', '_').toUpperCase()}`;
}

function dashed(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function readBoolean(given: string | undefined): boolean {
  if (given === undefined || ['0', 'false', 'no', ''].includes(given.toLowerCase())) return false;
  if (['1', 'true', 'yes'].includes(given.toLowerCase())) return true;
  throw wrongUse(`"${given}" is neither true nor false`);
}
