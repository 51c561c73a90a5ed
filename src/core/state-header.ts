/** The few fields of a state that the rules need. The state itself stays the bytes that it came as. */
export interface StateHeader {
  /** An unsigned 64-bit number in Go, beyond what a JavaScript number keeps. */
  readonly serial: bigint;
  readonly lineage: string;
  /** Empty in OpenTofu's encrypted envelope, which hides it. */
  readonly terraformVersion: string;
  /** OpenTofu's envelope (`encryption_version`), of which only serial and lineage are in the clear. */
  readonly encrypted: boolean;
  /** Where the digits of the serial stand in the bytes: [from, to). */
  readonly serialSpan: readonly [number, number];
}

export type HeaderProblem = { readonly problem: string };

/** Terraform's own nesting is below 30; a bound keeps a hostile body from growing our stack. */
const DEPTH_MAX = 1_000;
/** Longest top-level key or scalar worth keeping: a lineage is a UUID, a version a few characters. */
const TOKEN_BYTES_MAX = 512;
const SERIAL_MAX = 2n ** 64n - 1n;

const WANTED = new Set(['version', 'serial', 'lineage', 'terraform_version', 'encryption_version']);

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Stands for an object or array where a wanted value should be: no JSON at all, so that nobody takes it for one. */
const NO_SCALAR = { text: '{', start: 0, end: 0 } as const;

/** What may come next in the top-level object. */
type Expect = 'key-or-end' | 'key' | 'colon' | 'value' | 'comma-or-end';

/**
 * Reads a state's header while its bytes go by, in one pass and constant memory.
 *
 * It checks that the whole is one JSON object, closed to the last bracket and string, so that a truncated state is
 * refused; what stands inside the nested values is the client's business and is not parsed.
 */
export class StateHeaderScanner {
  #offset = 0;
  #depth = 0;
  readonly #brackets = new Uint8Array(DEPTH_MAX);
  #inString = false;
  #escaped = false;
  #done = false;
  #problem: string | null = null;

  #expect: Expect = 'key-or-end';
  #keyWanted: string | null = null;
  /** Bytes of the top-level key or scalar being read; null while nothing is kept. */
  #token: number[] | null = null;
  #tokenStart = 0;
  readonly #found = new Map<string, { text: string; start: number; end: number }>();

  /** Takes the next bytes, in order. Never throws; problems come out of {@link finish}. */
  push(chunk: Uint8Array): void {
    if (this.#problem === null) {
      let at = 0;
      while (at < chunk.length && this.#problem === null) at = this.#step(chunk, at);
    }
    this.#offset += chunk.length;
  }

  /** Says what was read, once all bytes have been pushed. */
  finish(): StateHeader | HeaderProblem {
    if (this.#problem !== null) return { problem: this.#problem };
    if (this.#offset === 0) return { problem: 'the body is empty: that is no state' };
    if (!this.#done) return { problem: 'the JSON ends too early: the state is truncated' };
    return this.#header();
  }

  #step(chunk: Uint8Array, at: number): number {
    const byte = chunk[at] as number;
    if (this.#inString) return this.#stepInString(chunk, at, byte);
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      if (this.#token !== null) this.#endScalar(at);
      return at + 1;
    }
    if (this.#done) return this.#fail('something follows the end of the state');
    if (this.#depth === 0) return this.#begin(byte, at);
    return this.#depth === 1 ? this.#stepTop(byte, at) : this.#stepNested(byte, at);
  }

  #begin(byte: number, at: number): number {
    if (byte !== OPEN_OBJECT) return this.#fail('the body is not a JSON object');
    this.#open(byte);
    return at + 1;
  }

  /** Skips fast to the next quote or backslash; keeps the bytes only of short top-level strings. */
  #stepInString(chunk: Uint8Array, from: number, first: number): number {
    let at = from;
    let byte = first;
    for (;;) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) break;
      else if (byte < 0x20) return this.#fail('a string in the JSON holds a control character');
      this.#keep(byte);
      at += 1;
      if (at === chunk.length) return at;
      byte = chunk[at] as number;
    }
    this.#inString = false;
    this.#keep(byte);
    if (this.#depth === 1) this.#endTopString(at + 1);
    return at + 1;
  }

  #stepTop(byte: number, at: number): number {
    if (this.#token !== null && (byte === COMMA || byte === CLOSE_OBJECT)) this.#endScalar(at);
    switch (byte) {
      case QUOTE:
        if (!this.#expectsKey() && this.#expect !== 'value') return this.#unexpected();
        this.#inString = true;
        this.#startToken(at);
        this.#keep(byte);
        return at + 1;
      case COLON:
        if (this.#expect !== 'colon') return this.#unexpected();
        this.#expect = 'value';
        return at + 1;
      case COMMA:
        if (this.#expect !== 'comma-or-end') return this.#unexpected();
        this.#expect = 'key';
        return at + 1;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (this.#expect !== 'value') return this.#unexpected();
        if (this.#keyWanted !== null) this.#found.set(this.#keyWanted, NO_SCALAR);
        this.#open(byte);
        return at + 1;
      case CLOSE_OBJECT:
        if (this.#expect !== 'comma-or-end' && this.#expect !== 'key-or-end') return this.#unexpected();
        return this.#close(byte, at);
      default:
        if (this.#expect !== 'value' || byte === CLOSE_ARRAY) return this.#unexpected();
        if (this.#token === null) this.#startToken(at);
        this.#keep(byte);
        return at + 1;
    }
  }

  #stepNested(byte: number, at: number): number {
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#open(byte);
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return this.#close(byte, at);
    return at + 1;
  }

  #open(byte: number): void {
    if (this.#depth === DEPTH_MAX) this.#fail(`the JSON nests deeper than ${DEPTH_MAX} levels`);
    else this.#brackets[this.#depth++] = byte;
  }

  #close(byte: number, at: number): number {
    const opened = this.#brackets[--this.#depth];
    if (opened !== (byte === CLOSE_OBJECT ? OPEN_OBJECT : OPEN_ARRAY))
      return this.#fail("the JSON's brackets do not match");
    if (this.#depth === 1) this.#endValue();
    if (this.#depth === 0) this.#done = true;
    return at + 1;
  }

  #expectsKey(): boolean {
    return this.#expect === 'key' || this.#expect === 'key-or-end';
  }

  #startToken(at: number): void {
    this.#token = [];
    this.#tokenStart = this.#offset + at;
  }

  #keep(byte: number): void {
    if (this.#token !== null && this.#token.length < TOKEN_BYTES_MAX) this.#token.push(byte);
  }

  #endTopString(at: number): void {
    const text = this.#takeToken();
    if (this.#expectsKey()) {
      const key = parseJson(text);
      this.#keyWanted = typeof key === 'string' && WANTED.has(key) ? key : null;
      this.#expect = 'colon';
    } else {
      this.#record(text, at);
    }
  }

  #endScalar(at: number): void {
    const text = this.#takeToken();
    if (parseJson(text) === undefined) this.#fail('the body is not JSON');
    this.#record(text, at);
  }

  #record(text: string, at: number): void {
    if (this.#keyWanted !== null) {
      this.#found.set(this.#keyWanted, { text, start: this.#tokenStart, end: this.#offset + at });
    }
    this.#endValue();
  }

  #endValue(): void {
    this.#keyWanted = null;
    this.#expect = 'comma-or-end';
  }

  #takeToken(): string {
    const text = new TextDecoder().decode(Uint8Array.from(this.#token ?? []));
    this.#token = null;
    return text;
  }

  #unexpected(): number {
    return this.#fail('the body is not JSON');
  }

  #fail(problem: string): number {
    this.#problem ??= problem;
    return Number.MAX_SAFE_INTEGER;
  }

  #header(): StateHeader | HeaderProblem {
    const encryption = this.#text('encryption_version');
    const encrypted = encryption !== null && encryption !== '';
    const version = this.#found.get('version')?.text;
    if (!encrypted && version !== '4') {
      return version === undefined
        ? { problem: 'the JSON is no state: it has no "version"' }
        : { problem: `state format version ${version.slice(0, 20)} is not supported: only version 4 is` };
    }
    const serial = this.#found.get('serial');
    if (serial === undefined || !/^\d{1,20}$/.test(serial.text) || BigInt(serial.text) > SERIAL_MAX) {
      return { problem: 'the JSON is no state: its "serial" is not a whole number of 64 bits' };
    }
    const lineage = this.#text('lineage');
    const terraformVersion = this.#text('terraform_version');
    if (lineage === null || terraformVersion === null) {
      const name = lineage === null ? 'lineage' : 'terraform_version';
      return {
        problem: `the JSON is no state: its "${name}" is not a string of at most ${TOKEN_BYTES_MAX} bytes`,
      };
    }
    return {
      serial: BigInt(serial.text),
      lineage,
      terraformVersion,
      encrypted,
      serialSpan: [serial.start, serial.end],
    };
  }

  /** Go reads what is absent or null as an empty string, and takes nothing else for a string. */
  #text(name: string): string | null {
    const value = parseJson(this.#found.get(name)?.text ?? 'null');
    if (value === null) return '';
    return typeof value === 'string' ? value : null;
  }
}

/** Reads the header of a state that is already in memory. */
export function readStateHeader(bytes: Uint8Array): StateHeader | HeaderProblem {
  const scanner = new StateHeaderScanner();
  scanner.push(bytes);
  return scanner.finish();
}

export function isStateHeader(value: StateHeader | HeaderProblem): value is StateHeader {
  return !('problem' in value);
}

/** A state like this one but for its serial: the one edit that a restore makes, digit for digit in place. */
export function withSerial(bytes: Uint8Array, header: StateHeader, serial: bigint): Uint8Array {
  const [from, to] = header.serialSpan;
  const digits = new TextEncoder().encode(serial.toString());
  const out = new Uint8Array(bytes.length - (to - from) + digits.length);
  out.set(bytes.subarray(0, from));
  out.set(digits, from);
  out.set(bytes.subarray(to), from + digits.length);
  return out;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
