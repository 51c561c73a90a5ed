import { readDuration } from '../core/duration.ts';
import { isProblem, readBoolean, readWholeNumber, type Problem } from '../core/read-value.ts';
import type { Setting } from '../server/setting.ts';
import { wrongUse } from './failure.ts';

/** What the shell can offer for a word. */
export type Completes = 'address' | 'workspace' | 'role' | 'backend' | 'served-backend' | 'action';

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
  /** Whether such a text is a secret, which every user of the machine reads when it stands on the command line. */
  readonly isSecret: (text: string) => boolean;
  /** What the shell offers for its value; null for nothing in particular. */
  readonly completes: Completes | null;
}

export type Options = Readonly<Record<string, OptionSpec<unknown>>>;
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends OptionSpec<infer T> ? T : never;
};

interface Extras {
  readonly short?: string;
  readonly environment?: boolean;
  readonly isSecret?: (text: string) => boolean;
  readonly completes?: Completes;
}

/** An option that reads its texts in a way of its own. */
export function spec<T>(
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
    isSecret: extras.isSecret ?? (() => false),
    completes: extras.completes ?? null,
  };
}

/** `--yes`: false unless given. */
export function flag(help: string, extras: Extras = {}): OptionSpec<boolean> {
  return spec(
    { kind: 'flag', placeholder: '', help, read: (texts) => accepted(readBoolean(texts.at(-1) ?? '')) },
    extras,
  );
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
  const read = (given: readonly string[]): number => accepted(readDuration(given.at(-1) ?? fallback));
  return spec({ kind: 'value', placeholder, help, fallback, read }, extras);
}

/** `--limit 20`: a whole number within bounds. */
export function wholeNumber(
  { fallback, ...bounds }: { readonly fallback: number; readonly from: number; readonly to: number },
  placeholder: string,
  help: string,
  extras: Extras = {},
): OptionSpec<number> {
  const read = (given: readonly string[]): number => {
    const last = given.at(-1);
    return last === undefined ? fallback : accepted(readWholeNumber(last, bounds));
  };
  return spec({ kind: 'value', placeholder, help, fallback: String(fallback), read }, extras);
}

/** Settings as options: `stateLimit` is `--state-limit`. */
export function settingOptions<S extends object>(settings: {
  readonly [K in keyof S]: Setting<S[K]>;
}): { readonly [K in keyof S]: OptionSpec<S[K]> } {
  const options = Object.entries<Setting<unknown>>(settings).map(([name, setting]) => {
    const { placeholder, help, fallback, read, isSecret = () => false } = setting;
    const kind = placeholder === '' ? 'flag' : 'value';
    const last = (given: readonly string[]): unknown => accepted(read(given.at(-1)));
    return [name, spec({ kind, placeholder, help, fallback, read: last }, { isSecret })];
  });
  return Object.fromEntries(options) as { readonly [K in keyof S]: OptionSpec<S[K]> };
}

/** What was read. @throws Failure with what is invalid, and what was expected */
export function accepted<T>(value: T | Problem): T {
  if (isProblem(value)) throw wrongUse(value.problem);
  return value;
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
