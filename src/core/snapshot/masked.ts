import type { LosslessNumber } from 'lossless-json';
import type { Json } from './json.ts';
import { isJsonArray, isJsonNumber, isJsonObject, printJson } from './json.ts';

/** What stands in place of a sensitive value. */
export const MASK = '(sensitive value)';

/** A part of a value that is shown only on demand. */
export class Secret {
  readonly hidden: Json;

  constructor(hidden: Json) {
    this.hidden = hidden;
  }
}

/** A JSON value, of which some parts are secrets. */
export type Masked = null | boolean | string | LosslessNumber | Secret | readonly Masked[] | MaskedObject;
export interface MaskedObject {
  readonly [key: string]: Masked;
}

/** A value as JSON text: with its secrets, or with {@link MASK} in their place. */
export function printMasked(value: Masked, reveal: boolean, indented = false): string {
  return printJson(reveal ? revealed(value) : masked(value), indented);
}

/** The value with its secrets in place, as the state has it. */
export function revealed(value: Masked): Json {
  return replaceSecrets(value, (secret) => secret.hidden);
}

/** The value as anybody may see it. */
export function masked(value: Masked): Json {
  return replaceSecrets(value, () => MASK);
}

/** Whether any part is a secret. */
export function hasSecret(value: Masked): boolean {
  if (value instanceof Secret) return true;
  if (isMaskedArray(value)) return value.some(hasSecret);
  return isMaskedObject(value) && Object.values(value).some(hasSecret);
}

export function isMaskedArray(value: Masked | undefined): value is readonly Masked[] {
  return Array.isArray(value);
}

export function isMaskedObject(value: Masked | undefined): value is MaskedObject {
  return isJsonObject(value as Json) && !(value instanceof Secret);
}

/** Same value under the masks, whatever the order of members; numbers are the same when their text is. */
export function sameMasked(a: Masked | undefined, b: Masked | undefined): boolean {
  if (a instanceof Secret) return sameMasked(a.hidden, b);
  if (b instanceof Secret) return sameMasked(a, b.hidden);
  if (isJsonNumber(a)) return isJsonNumber(b) && a.value === b.value;
  if (isMaskedArray(a)) {
    return isMaskedArray(b) && a.length === b.length && a.every((item, index) => sameMasked(item, b[index]));
  }
  if (isMaskedObject(a)) {
    if (!isMaskedObject(b)) return false;
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && sameMasked(a[name], b[name]))
    );
  }
  return a === b;
}

/** Rebuilds an object member by member; a member called `__proto__` stays a member. */
export function mapMembers<T>(
  object: Readonly<Record<string, T>>,
  change: (value: T, name: string) => Masked,
): MaskedObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));
}

function replaceSecrets(value: Masked, replace: (secret: Secret) => Json): Json {
  if (value instanceof Secret) return replace(value);
  if (isMaskedArray(value)) return value.map((item) => replaceSecrets(item, replace));
  if (isMaskedObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, replaceSecrets(inner, replace)]),
    );
  }
  return value;
}

/** Every string and number in a value. */
export function* scalars(value: Json): Generator<string | LosslessNumber> {
  if (typeof value === 'string' || isJsonNumber(value)) yield value;
  else if (isJsonArray(value)) for (const item of value) yield* scalars(item);
  else if (isJsonObject(value)) for (const item of Object.values(value)) yield* scalars(item);
}
