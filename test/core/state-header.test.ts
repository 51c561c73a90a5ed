import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import {
  isStateHeader,
  readStateHeader,
  StateHeaderScanner,
  withSerial,
  type StateHeader,
} from '../../src/core/state-header.ts';

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

function read(text: string): ReturnType<typeof readStateHeader> {
  return readStateHeader(ENCODER.encode(text));
}

function header(text: string): StateHeader {
  const found = read(text);
  if (!isStateHeader(found)) throw new Error(found.problem);
  return found;
}

function problem(text: string): string {
  const found = read(text);
  return isStateHeader(found) ? 'none' : found.problem;
}

/** A state as Terraform prints it, with one resource whose contents look like a header. */
function state(serial: bigint | string): string {
  return `{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": ${serial},
  "lineage": "3c0d4f1e-6a3b-0f6e-9a51-0d8f5c3a7b11",
  "outputs": {"serial": {"value": 7, "type": "number"}},
  "resources": [{"mode": "managed", "instances": [{"attributes": {"id": "a}]\\"", "n": 12345678901234567890}}]}],
  "check_results": null
}
`;
}

describe("a state's header", () => {
  it('is read from a state as Terraform writes it', () => {
    const text = state(7n);
    const from = text.indexOf('7');
    expect(header(text)).toEqual({
      serial: 7n,
      lineage: '3c0d4f1e-6a3b-0f6e-9a51-0d8f5c3a7b11',
      terraformVersion: '1.11.4',
      encrypted: false,
      serialSpan: [from, from + 1],
    });
  });

  it('keeps every digit of a serial that no JavaScript number holds', () => {
    for (const serial of [2n ** 53n + 1n, 2n ** 64n - 1n]) expect(header(state(serial)).serial).toBe(serial);
    expect(problem(state(2n ** 64n))).toContain('64 bits');
  });

  it('is read from what OpenTofu has encrypted', () => {
    const text =
      '{"serial":7,"lineage":"l","meta":{"key_provider.pbkdf2.main":"eyJ9"},"encrypted_data":"AAAA","encryption_version":"v0"}';
    expect(header(text)).toEqual({
      serial: 7n,
      lineage: 'l',
      terraformVersion: '',
      encrypted: true,
      serialSpan: [10, 11],
    });
  });

  it('is what the last of two members says, as it is to Terraform', () => {
    expect(
      header('{"version":3,"serial":1,"Version":4,"serial":2,"lineage":"a","LINEAGE":"b"}'),
    ).toMatchObject({
      serial: 2n,
      lineage: 'b',
    });
  });

  it('has an empty lineage where there is none', () => {
    expect(header('{"version":4,"serial":1}')).toMatchObject({ lineage: '', terraformVersion: '' });
    expect(header('{"version":4,"serial":1,"lineage":null}')).toMatchObject({ lineage: '' });
  });

  it('is the same in whatever pieces the state comes', () => {
    const bytes = ENCODER.encode(state(2n ** 63n));
    const whole = readStateHeader(bytes);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (cuts) => {
        const scanner = new StateHeaderScanner();
        const ends = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        for (const [i, end] of ends.entries()) scanner.push(bytes.subarray(ends[i - 1] ?? 0, end));
        expect(scanner.finish()).toEqual(whole);
      }),
    );
  });

  it('is refused at whatever byte the state was cut off', () => {
    const bytes = ENCODER.encode(state(7n).trimEnd());
    for (let length = 0; length < bytes.length; length += 1) {
      expect(isStateHeader(readStateHeader(bytes.subarray(0, length)))).toBe(false);
    }
  });

  it.each([
    ['', 'the body is empty, which is not a state'],
    ['{"version":4,"serial":1', 'the JSON ends too early: the state is truncated'],
    ['{"version":4,"serial":1}{}', 'something follows the end of the state'],
    ['<html>', 'the body is not a JSON object'],
    ['{}', 'the JSON is not a state: it has no "version"'],
    ['{"version":{},"serial":1}', 'the JSON is not a state: it has no "version"'],
    ['{"version":3,"serial":1}', 'state format version 3 is not supported: only version 4 is'],
    ['{"version":"4","serial":1}', 'state format version "4" is not supported: only version 4 is'],
    ['{"version":4.0,"serial":1}', 'state format version 4.0 is not supported: only version 4 is'],
  ])('is refused, saying why: %j', (text, why) => {
    expect(problem(text)).toBe(why);
  });

  it.each([
    '-1',
    '1.0',
    '1e3',
    '"1"',
    'null',
    'true',
    '[]',
    '18446744073709551616',
    '00',
    '123456789012345678901',
  ])('is refused with a serial of %s', (serial) => {
    expect(isStateHeader(read(`{"version":4,"serial":${serial}}`))).toBe(false);
  });

  it.each(['5', '{}', '["a"]', 'false', `"${'x'.repeat(600)}"`])(
    'is refused with a lineage of %s',
    (lineage) => {
      expect(problem(`{"version":4,"serial":1,"lineage":${lineage}}`)).toContain(
        'its "lineage" is not a string',
      );
    },
  );
});

describe('another serial', () => {
  it('changes the digits and nothing else', () => {
    const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(uint64, uint64, (old, next) => {
        const bytes = ENCODER.encode(state(old));
        const edited = withSerial(bytes, header(state(old)), next);
        expect(DECODER.decode(edited)).toBe(state(next));
        expect(DECODER.decode(bytes)).toBe(state(old));
      }),
    );
  });
});

describe('reading headers', () => {
  it('keeps up with a disk on nested content', () => {
    const resource = `{"attributes":{"id":"i-0123456789","tags":{"Name":"web \\"1\\""},"n":[1,2,true,null]}},`;
    const text = `{"version":4,"serial":1,"resources":[${resource.repeat(200_000)}{}]}`;
    const bytes = ENCODER.encode(text);
    // Processor time, because other tests run beside this one.
    const rates = [1, 2, 3, 4, 5, 6].map(() => {
      const started = process.cpuUsage();
      readStateHeader(bytes);
      const { user, system } = process.cpuUsage(started);
      return bytes.length / (user + system);
    });
    const best = Math.round(Math.max(...rates));
    console.log(`state headers are read at ${best} MB/s`);
    expect(best).toBeGreaterThan(250);
  });
});
