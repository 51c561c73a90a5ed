import type { LosslessNumber } from 'lossless-json';
import type { Json, JsonObject } from './json.ts';
import { isJsonArray, isJsonNumber, isJsonObject, member } from './json.ts';
import type { Masked } from './masked.ts';
import { Secret, isMaskedArray, isMaskedObject, mapMembers, revealed, scalars } from './masked.ts';

/**
 * Attribute names that hold a secret by themselves. Terraform before 1.10 wrote only what the configuration marked as
 * sensitive into `sensitive_attributes`, not what the provider's schema marks.
 */
const SECRET_NAME =
  /(?:^|_)(?:password|passwd|passphrase|secret|secret_key|secret_string|secret_binary|secret_access_key|token|api_key|access_key|auth_key|private_key(?:_pem|_pem_pkcs8|_openssh)?|sensitive_content(?:_base64)?|client_key|connection_string|kube_config_raw|kube_admin_config_raw)$/;

/** A shorter text inside another is chance more often than a copy of a secret. */
const EMBEDDED_LENGTH_MIN = 6;
/** Shorter numbers (ports, counts, sizes) would mask half of a state. */
const NUMBER_LENGTH_MIN = 4;
/** More secrets than any state has; beyond it copies of further ones are not looked for. */
const SECRETS_MAX = 300_000;
/** Longer secrets are certificates and scripts, whose base64 copies are cut to this before they are looked for. */
const BASE64_LENGTH_MAX = 8_192;

/** One step of a path in `sensitive_attributes`: the name of an attribute, or an index. */
type Step = string;

/**
 * Turns the sensitive parts of an instance's attributes into secrets: what the state lists, and what its name gives away.
 * @param paths `sensitive_attributes` as the state has it; what cannot be read there masks the whole instance
 */
export function markAttributes(
  attributes: JsonObject,
  paths: Json | undefined,
): Readonly<Record<string, Masked>> {
  const steps = readPaths(paths);
  if (steps === null) return mapMembers(attributes, (value) => new Secret(value));
  let marked: Masked = mapMembers(attributes, (value, name) =>
    SECRET_NAME.test(name) && hidesSomething(value) ? new Secret(value) : value,
  );
  for (const path of steps) marked = markPath(marked, path);
  return isMaskedObject(marked) ? marked : {};
}

/**
 * The values that are secret somewhere in a state, by which copies of them are known elsewhere: Terraform lists only the
 * configured paths, so `terraform_data.output`, a mirror of a sensitive `input`, is not listed.
 */
export class Secrets {
  readonly #exact = new Set<string>();
  /** How long the secrets are that begin so: a text is looked up once for each length, however many secrets there are. */
  readonly #lengthsByBeginning = new Map<string, Set<number>>();
  /** Whether any secret begins with two such characters, which is asked at every place of every text. */
  readonly #beginnings = new Uint8Array(0x10000);

  /** Takes up every secret within a value. */
  add(value: Masked): void {
    if (value instanceof Secret) for (const scalar of scalars(value.hidden)) this.#addScalar(scalar);
    else if (isMaskedArray(value)) for (const item of value) this.add(item);
    else if (isMaskedObject(value)) for (const item of Object.values(value)) this.add(item);
  }

  /** Masks every copy of a known secret in a value, alone or inside a longer text. */
  mask(value: Masked): Masked {
    if (this.#exact.size === 0 || value instanceof Secret) return value;
    if (typeof value === 'string') return this.#leaks(value) ? new Secret(value) : value;
    if (isMaskedArray(value)) return value.map((item) => this.mask(item));
    if (isMaskedObject(value)) return mapMembers(value, (item) => this.mask(item));
    return isJsonNumber(value) && this.#exact.has(value.value) ? new Secret(value) : value;
  }

  #addScalar(scalar: string | LosslessNumber): void {
    const text = String(scalar);
    if (text.length < (isJsonNumber(scalar) ? NUMBER_LENGTH_MIN : 1)) return;
    if (this.#exact.has(text) || this.#exact.size >= SECRETS_MAX) return;
    for (const form of [text, JSON.stringify(text).slice(1, -1), base64(text)]) {
      this.#exact.add(form);
      if (form.length < EMBEDDED_LENGTH_MIN) continue;
      const beginning = form.slice(0, EMBEDDED_LENGTH_MIN);
      const lengths = this.#lengthsByBeginning.get(beginning);
      if (lengths === undefined) this.#lengthsByBeginning.set(beginning, new Set([form.length]));
      else lengths.add(form.length);
      this.#beginnings[twoCharacters(form, 0)] = 1;
    }
  }

  #leaks(text: string): boolean {
    if (this.#exact.has(text)) return true;
    for (let at = 0; at + EMBEDDED_LENGTH_MIN <= text.length; at += 1) {
      if (this.#beginnings[twoCharacters(text, at)] === 0) continue;
      const lengths = this.#lengthsByBeginning.get(text.slice(at, at + EMBEDDED_LENGTH_MIN));
      for (const length of lengths ?? []) if (this.#exact.has(text.slice(at, at + length))) return true;
    }
    return false;
  }
}

function twoCharacters(text: string, at: number): number {
  return ((text.charCodeAt(at) << 8) ^ text.charCodeAt(at + 1)) & 0xffff;
}

function hidesSomething(value: Json): boolean {
  for (const scalar of scalars(value)) if (String(scalar) !== '') return true;
  return false;
}

/** @returns null when a path cannot be understood */
function readPaths(paths: Json | undefined): readonly (readonly Step[])[] | null {
  if (paths === undefined || paths === null) return [];
  if (!isJsonArray(paths)) return null;
  const read: (readonly Step[])[] = [];
  for (const path of paths) {
    if (!isJsonArray(path)) return null;
    const steps = path.map(readStep);
    if (steps.some((step) => step === null)) return null;
    read.push(steps.filter((step) => step !== null));
  }
  return read;
}

function readStep(step: Json): Step | null {
  if (!isJsonObject(step)) return null;
  const value = member(step, 'value');
  // An index is wrapped with its type: {"type":"index","value":{"value":0,"type":"number"}}.
  const inner = isJsonObject(value) ? member(value, 'value') : value;
  if (isJsonNumber(inner)) return inner.value;
  return typeof inner === 'string' ? inner : null;
}

/** Masks what a path leads to; where it leads nowhere (an element of a set), all that it has reached so far. */
function markPath(value: Masked, path: readonly Step[]): Masked {
  const [step, ...rest] = path;
  if (value instanceof Secret) return value;
  if (step === undefined) return new Secret(revealed(value));
  if (isMaskedArray(value)) {
    const index = Number(step);
    if (!Number.isInteger(index) || index < 0 || index >= value.length) return hide(value);
    return value.map((item, at) => (at === index ? markPath(item, rest) : item));
  }
  if (!isMaskedObject(value)) return value === null ? null : hide(value);
  if (Object.hasOwn(value, step)) {
    return mapMembers(value, (item, name) => (name === step ? markPath(item, rest) : item));
  }
  // A value of dynamic type is wrapped with its type, and paths pass through the wrapper.
  if (Object.hasOwn(value, 'value') && Object.hasOwn(value, 'type')) {
    return mapMembers(value, (item, name) => (name === 'value' ? markPath(item, path) : item));
  }
  return hide(value);
}

function hide(value: Masked): Masked {
  if (value instanceof Secret) return value;
  if (isMaskedArray(value)) return value.map(hide);
  if (isMaskedObject(value)) return mapMembers(value, hide);
  return value === null ? null : new Secret(value);
}

function base64(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text.slice(0, BASE64_LENGTH_MAX))));
}
