import { parseJson, TOKEN_BYTES_MAX, TopLevelScanner, type ScannedField } from './top-level.ts';

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

const SERIAL_MAX = 2n ** 64n - 1n;

const WANTED = ['version', 'serial', 'lineage', 'terraform_version', 'encryption_version'] as const;

/** Reads a state's header while its bytes go by; refuses what is truncated or no state. */
export class StateHeaderScanner {
  readonly #members = new TopLevelScanner(WANTED);

  /** Takes the next bytes, in order. Never throws; problems come out of {@link finish}. */
  push(chunk: Uint8Array): void {
    this.#members.push(chunk);
  }

  /** Says what was read, once all bytes have been pushed. */
  finish(): StateHeader | HeaderProblem {
    const found = this.#members.finish();
    return 'problem' in found ? found : headerOf(found);
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

function headerOf(found: ReadonlyMap<string, ScannedField>): StateHeader | HeaderProblem {
  const encryption = textOf(found.get('encryption_version'));
  const encrypted = encryption !== null && encryption !== '';
  const version = found.get('version')?.text;
  if (!encrypted && version !== '4') {
    return version === undefined || version === null
      ? { problem: 'the JSON is not a state: it has no "version"' }
      : { problem: `state format version ${version.slice(0, 20)} is not supported: only version 4 is` };
  }
  const serial = found.get('serial');
  const digits = serial?.text ?? '';
  if (serial === undefined || !/^\d{1,20}$/.test(digits) || BigInt(digits) > SERIAL_MAX) {
    return { problem: 'the JSON is not a state: its "serial" is not a whole number of 64 bits' };
  }
  const lineage = textOf(found.get('lineage'));
  const terraformVersion = textOf(found.get('terraform_version'));
  if (lineage === null || terraformVersion === null) {
    const name = lineage === null ? 'lineage' : 'terraform_version';
    return {
      problem: `the JSON is not a state: its "${name}" is not a string of at most ${TOKEN_BYTES_MAX} bytes`,
    };
  }
  return {
    serial: BigInt(digits),
    lineage,
    terraformVersion,
    encrypted,
    serialSpan: [serial.start, serial.end],
  };
}

/** Go reads what is absent or null as an empty string, and takes nothing else for a string: null for that. */
function textOf(found: ScannedField | undefined): string | null {
  if (found === undefined || found.text === 'null') return '';
  const value = found.text === null ? undefined : parseJson(found.text);
  return typeof value === 'string' ? value : null;
}
