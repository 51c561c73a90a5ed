/** Terraform's own nesting is below 30; a bound keeps a hostile body from growing our stack. */
const DEPTH_MAX = 1_000;
/** Terraform's states have seven members. */
const MEMBERS_MAX = 1_000;
/** Longest top-level key or scalar that is kept: a lineage is a UUID, a version a few characters. */
export const TOKEN_BYTES_MAX = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACE = 0x20;
/** What may follow a backslash: `"\\/bfnrtu`. */
const ESCAPABLE: ReadonlySet<number> = new Set([QUOTE, BACKSLASH, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74, 0x75]);

const NOT_JSON = 'the body is not JSON';
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** What may come next in the top-level object. */
type Expect = 'key-or-end' | 'key' | 'colon' | 'value' | 'comma-or-end';

/** A member's value: its JSON text, null where it is nested or too long to keep, and where it stands in the bytes. */
export interface ScannedField {
  readonly text: string | null;
  readonly start: number;
  readonly end: number;
}

/**
 * Finds a few members of one JSON object while its bytes go by, in one pass and constant memory.
 *
 * It checks that the whole is one JSON object, closed to the last bracket and string, so that a truncated one is refused;
 * what stands inside the nested values is the client's business and is not parsed.
 */
export class TopLevelScanner {
  readonly #wanted: readonly string[];
  #offset = 0;
  #depth = 0;
  readonly #brackets = new Uint8Array(DEPTH_MAX);
  #inString = false;
  #escaped = false;
  #done = false;
  #problem: string | null = null;

  #expect: Expect = 'key-or-end';
  #members = 0;
  #keyWanted: string | null = null;
  /** The top-level key or scalar being read, as far as it is kept; its true length, or -1 between two tokens. */
  readonly #token = new Uint8Array(TOKEN_BYTES_MAX);
  #tokenLength = -1;
  #tokenStart = 0;
  readonly #found = new Map<string, ScannedField>();

  /** @param wanted names in lower case: Go's decoder takes a key in any case, and the last of two */
  constructor(wanted: readonly string[]) {
    this.#wanted = wanted;
  }

  /** Takes the next bytes, in order. Never throws; problems come out of {@link finish}. */
  push(chunk: Uint8Array): void {
    if (this.#problem === null) {
      let at = 0;
      while (at < chunk.length && this.#problem === null) at = this.#step(chunk, at);
    }
    this.#offset += chunk.length;
  }

  /** The members that were found, once all bytes have been pushed. */
  finish(): ReadonlyMap<string, ScannedField> | { readonly problem: string } {
    if (this.#problem !== null) return { problem: this.#problem };
    if (this.#offset === 0) return { problem: 'the body is empty, which is not a state' };
    if (!this.#done) return { problem: 'the JSON ends too early: the state is truncated' };
    return this.#found;
  }

  #step(chunk: Uint8Array, at: number): number {
    if (this.#inString) return this.#stepInString(chunk, at);
    if (this.#depth > 1) return this.#stepNested(chunk, at);
    const byte = chunk[at] as number;
    if (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      if (this.#tokenLength !== -1) this.#endScalar(at);
      return at + 1;
    }
    if (this.#done) return this.#fail('something follows the end of the state');
    if (this.#depth === 1) return this.#stepTop(byte, at);
    if (byte !== OPEN_OBJECT) return this.#fail('the body is not a JSON object');
    this.#open(byte);
    return at + 1;
  }

  /** Goes to the end of the string, of the chunk, or past the next backslash. */
  #stepInString(chunk: Uint8Array, from: number): number {
    if (this.#escaped) {
      this.#escaped = false;
      if (!ESCAPABLE.has(chunk[from] as number)) return this.#fail(NOT_JSON);
      this.#keep(chunk, from, from + 1);
      return from + 1;
    }
    const at = plainUntil(chunk, from);
    this.#keep(chunk, from, Math.min(at + 1, chunk.length));
    if (at === chunk.length) return at;
    const byte = chunk[at] as number;
    if (byte === BACKSLASH) {
      this.#escaped = true;
    } else if (byte === QUOTE) {
      this.#inString = false;
      if (this.#depth === 1) this.#endTopString(at + 1);
    } else {
      return this.#fail('a string in the JSON holds a control character');
    }
    return at + 1;
  }

  #stepTop(byte: number, at: number): number {
    if (this.#tokenLength !== -1) {
      if (byte === COMMA || byte === CLOSE_OBJECT) this.#endScalar(at);
      else if (byte === QUOTE || byte === OPEN_OBJECT || byte === OPEN_ARRAY) return this.#fail(NOT_JSON);
    }
    switch (byte) {
      case QUOTE:
        if (!this.#expectsKey() && this.#expect !== 'value') return this.#fail(NOT_JSON);
        this.#inString = true;
        this.#startToken(byte, at);
        return at + 1;
      case COLON:
        if (this.#expect !== 'colon') return this.#fail(NOT_JSON);
        this.#expect = 'value';
        return at + 1;
      case COMMA:
        if (this.#expect !== 'comma-or-end') return this.#fail(NOT_JSON);
        this.#expect = 'key';
        return at + 1;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (this.#expect !== 'value') return this.#fail(NOT_JSON);
        this.#tokenStart = this.#offset + at;
        this.#open(byte);
        return at + 1;
      case CLOSE_OBJECT:
        if (this.#expect !== 'comma-or-end' && this.#expect !== 'key-or-end') return this.#fail(NOT_JSON);
        this.#close(byte, at);
        return at + 1;
      default:
        if (this.#expect !== 'value') return this.#fail(NOT_JSON);
        if (this.#tokenLength === -1) this.#startToken(byte, at);
        else this.#keepByte(byte);
        return at + 1;
    }
  }

  /** Goes to the end of the nested value, of the chunk, or into a string that is more than plain text. */
  #stepNested(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (byte === QUOTE) {
        const end = plainUntil(chunk, at + 1);
        if (chunk[end] !== QUOTE) {
          this.#inString = true;
          return at + 1;
        }
        at = end;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        this.#open(byte);
        if (this.#problem !== null) return at;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#close(byte, at);
        if (this.#depth === 1 || this.#problem !== null) return at + 1;
      }
    }
    return chunk.length;
  }

  #open(byte: number): void {
    if (this.#depth === DEPTH_MAX) this.#fail(`the JSON nests deeper than ${DEPTH_MAX} levels`);
    else this.#brackets[this.#depth++] = byte;
  }

  #close(byte: number, at: number): void {
    const opened = this.#brackets[--this.#depth];
    if (opened !== (byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_ARRAY)) {
      this.#fail("the JSON's brackets do not match");
    }
    if (this.#depth === 1) this.#record(null, at + 1);
    if (this.#depth === 0) this.#done = true;
  }

  #expectsKey(): boolean {
    return this.#expect === 'key' || this.#expect === 'key-or-end';
  }

  #startToken(byte: number, at: number): void {
    this.#tokenLength = 0;
    this.#tokenStart = this.#offset + at;
    this.#keepByte(byte);
  }

  #keepByte(byte: number): void {
    if (this.#tokenLength < TOKEN_BYTES_MAX) this.#token[this.#tokenLength] = byte;
    this.#tokenLength += 1;
  }

  #keep(chunk: Uint8Array, from: number, to: number): void {
    if (this.#tokenLength === -1) return;
    for (let at = from; at < to && this.#tokenLength <= TOKEN_BYTES_MAX; at += 1) {
      this.#keepByte(chunk[at] as number);
    }
  }

  #endTopString(at: number): void {
    const text = this.#takeToken();
    const value = text === null ? '' : parseJson(text);
    if (typeof value !== 'string') {
      this.#fail(NOT_JSON);
    } else if (this.#expectsKey()) {
      this.#members += 1;
      if (this.#members > MEMBERS_MAX) this.#fail(`the JSON has more than ${MEMBERS_MAX} members`);
      const name = value.toLowerCase();
      this.#keyWanted = this.#wanted.includes(name) ? name : null;
      this.#expect = 'colon';
    } else {
      this.#record(text, at);
    }
  }

  #endScalar(at: number): void {
    const text = this.#takeToken();
    if (text === null || parseJson(text) === undefined) this.#fail(NOT_JSON);
    this.#record(text, at);
  }

  #record(text: string | null, at: number): void {
    if (this.#keyWanted !== null) {
      this.#found.set(this.#keyWanted, { text, start: this.#tokenStart, end: this.#offset + at });
    }
    this.#keyWanted = null;
    this.#expect = 'comma-or-end';
  }

  /** The token's text; null if it was too long to be kept. */
  #takeToken(): string | null {
    const length = this.#tokenLength;
    this.#tokenLength = -1;
    return length > TOKEN_BYTES_MAX ? null : DECODER.decode(this.#token.subarray(0, length));
  }

  #fail(problem: string): number {
    this.#problem ??= problem;
    return Number.MAX_SAFE_INTEGER;
  }
}

/** The first byte of a string, from here on, that is not plain text: its end, a backslash, or a control character. */
function plainUntil(chunk: Uint8Array, from: number): number {
  let at = from;
  for (; at < chunk.length; at += 1) {
    const byte = chunk[at] as number;
    if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) break;
  }
  return at;
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
