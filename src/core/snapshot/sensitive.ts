import type { LosslessNumber } from 'lossless-json';
import type { Json, JsonObject } from './json.ts';
import { isJsonArray, isJsonNumber, isJsonObject, member } from './json.ts';
import type { Masked } from './masked.ts';
import { Secret, isMaskedArray, isMaskedObject, mapMembers, revealed, scalars } from './masked.ts';
import { TextSearch } from './text-search.ts';

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
/**
 * Longer secrets are certificates and scripts, whose base64 copies are cut to this many bytes before they are looked for: a
 * multiple of three, after which base64 goes on without padding.
 */
const BASE64_BYTES_MAX = 8_190;

/** One step of a path in `sensitive_attributes`: the name of an attribute, or an index. */
type Step = string;

/** All paths that begin with the same steps, so that many of them are followed in one walk. */
interface Paths {
  /** Whether a path ends here. */
  ends: boolean;
  readonly further: Map<Step, Paths>;
}

/**
 * Turns the sensitive parts of an instance's attributes into secrets: what the state lists, and what its name gives away.
 * @param paths `sensitive_attributes` as the state has it; what cannot be read there masks the whole instance
 */
export function markAttributes(
  attributes: JsonObject,
  paths: Json | undefined,
): Readonly<Record<string, Masked>> {
  const read = readPaths(paths);
  if (read === null) return mapMembers(attributes, (value) => new Secret(value));
  const named = mapMembers(attributes, (value, name) =>
    SECRET_NAME.test(name) && hidesSomething(value) ? new Secret(value) : value,
  );
  const marked = markPaths(named, read);
  return isMaskedObject(marked) ? marked : {};
}

/**
 * The values that are secret somewhere in a state, by which copies of them are known elsewhere: Terraform lists only the
 * configured paths, so `terraform_data.output`, a mirror of a sensitive `input`, is not listed.
 */
export class Secrets {
  readonly #exact = new Set<string>();
  /** Looks for them inside longer texts; null until it is needed. */
  #search: TextSearch | null = null;

  /** Takes up every secret within a value. */
  add(value: Masked): void {
    this.#search = null;
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
    for (const form of [text, JSON.stringify(text).slice(1, -1), base64(text)]) this.#exact.add(form);
  }

  #leaks(text: string): boolean {
    if (this.#exact.has(text)) return true;
    if (text.length < EMBEDDED_LENGTH_MIN) return false;
    this.#search ??= new TextSearch([...this.#exact].filter((form) => form.length >= EMBEDDED_LENGTH_MIN));
    return this.#search.isIn(text);
  }
}

function hidesSomething(value: Json): boolean {
  for (const scalar of scalars(value)) if (String(scalar) !== '') return true;
  return false;
}

/** @returns null when a path cannot be understood */
function readPaths(paths: Json | undefined): Paths | null {
  const all: Paths = { ends: false, further: new Map() };
  if (paths === undefined || paths === null) return all;
  if (!isJsonArray(paths)) return null;
  for (const path of paths) {
    if (!isJsonArray(path)) return null;
    let at = all;
    for (const raw of path) {
      const step = readStep(raw);
      if (step === null) return null;
      const next = at.further.get(step) ?? { ends: false, further: new Map() };
      at.further.set(step, next);
      at = next;
    }
    at.ends = true;
  }
  return all;
}

function readStep(step: Json): Step | null {
  if (!isJsonObject(step)) return null;
  const value = member(step, 'value');
  // An index is wrapped with its type: {"type":"index","value":{"value":0,"type":"number"}}.
  const inner = isJsonObject(value) ? member(value, 'value') : value;
  if (isJsonNumber(inner)) return inner.value;
  return typeof inner === 'string' ? inner : null;
}

/** Masks what the paths lead to; where one leads nowhere (an element of a set), all that it has reached so far. */
function markPaths(value: Masked, { ends, further }: Paths): Masked {
  if (value instanceof Secret || (further.size === 0 && !ends)) return value;
  if (ends) return new Secret(revealed(value));
  if (isMaskedArray(value)) {
    const marked = [...value];
    let leadsNowhere = false;
    for (const [step, paths] of further) {
      const index = Number(step);
      const item = marked[index];
      if (item === undefined) leadsNowhere = true;
      else marked[index] = markPaths(item, paths);
    }
    return leadsNowhere ? hide(marked) : marked;
  }
  if (!isMaskedObject(value)) return value === null ? null : hide(value);
  const elsewhere = new Map([...further].filter(([step]) => !Object.hasOwn(value, step)));
  const marked = mapMembers(value, (item, name) => {
    const paths = further.get(name);
    return paths === undefined ? item : markPaths(item, paths);
  });
  if (elsewhere.size === 0) return marked;
  // A value of dynamic type is wrapped with its type, and paths pass through the wrapper.
  if (Object.hasOwn(value, 'value') && Object.hasOwn(value, 'type')) {
    return mapMembers(marked, (item, name) =>
      name === 'value' ? markPaths(item, { ends: false, further: elsewhere }) : item,
    );
  }
  return hide(marked);
}

function hide(value: Masked): Masked {
  if (value instanceof Secret) return value;
  if (isMaskedArray(value)) return value.map(hide);
  if (isMaskedObject(value)) return mapMembers(value, hide);
  return value === null ? null : new Secret(value);
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text.slice(0, BASE64_BYTES_MAX)).subarray(0, BASE64_BYTES_MAX);
  return btoa(String.fromCodePoint(...bytes));
}
