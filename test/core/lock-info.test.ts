import { readFileSync } from 'node:fs';
import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { formatLockInfo, GO_ZERO_TIME, parseLockInfo, type LockInfo } from '../../src/core/lock-info.ts';

/** What Go's own decoder and encoder made of each input, with the struct of `internal/states/statemgr/locker.go`. */
interface Vector {
  readonly input: string;
  readonly ok: boolean;
  readonly encoded?: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('lock-info-vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];

function parse(text: string): LockInfo | string {
  const parsed = parseLockInfo(new TextEncoder().encode(text));
  return 'info' in parsed ? parsed.info : parsed.problem;
}

/** What Go takes and we do not: no ID, so that nobody could release it, or an offset that Go cannot write back. */
function isTaken({ ok, input, encoded = '' }: Vector): boolean {
  return ok && !encoded.startsWith('{"ID":""') && !/\+24:00|\+02:60/.test(input);
}

describe('a lock info', () => {
  it('is taken or refused as Go takes or refuses it', () => {
    const verdicts = vectors.map((vector) => [vector.input, typeof parse(vector.input) !== 'string']);
    expect(verdicts).toEqual(vectors.map((vector) => [vector.input, isTaken(vector)]));
    expect(vectors.filter(isTaken).length).toBeGreaterThan(120);
    expect(vectors.filter(({ ok }) => !ok).length).toBeGreaterThan(40);
  });

  it('is written byte for byte as Go writes it, the time as its client wrote it', () => {
    const oddTimes = vectors.filter(({ input }) => /T5:42:24Z|24,5Z/.test(input));
    expect(oddTimes).toHaveLength(2);
    const taken = vectors.filter((vector) => isTaken(vector) && !oddTimes.includes(vector));
    const written = taken.map(({ input }) => {
      const info = parse(input);
      return typeof info === 'string' ? info : formatLockInfo(info);
    });
    expect(written).toEqual(taken.map(({ encoded }) => encoded));
  });

  it('has empty fields and the zero time where nothing is said', () => {
    expect(parse('{"ID":"a","Who":null}')).toEqual({
      id: 'a',
      operation: '',
      info: '',
      who: '',
      version: '',
      created: GO_ZERO_TIME,
      path: '',
    });
  });

  it.each([
    ['{"Operation":"x"}', 'the lock info has no ID'],
    ['{"ID":""}', 'the lock info has no ID'],
    ['', 'the lock info is not JSON'],
    ['<lock/>', 'the lock info is not JSON'],
    ['["ID"]', 'the lock info is not a JSON object'],
    ['{"ID":7}', "the lock info's id is not a string"],
    ['{"ID":"a","Created":"yesterday"}', "the lock info's Created is not an RFC 3339 time"],
    [`{"ID":"${'x'.repeat(65_536)}"}`, 'the lock info is too large: expected at most 65536 bytes'],
  ])('is refused, saying why: %.40j', (text, why) => {
    expect(parse(text)).toBe(why);
  });

  it('comes back from its own text', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const created = fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().replace(/\.?0*Z$/, 'Z'));
    const info = fc.record({
      id: fc.string({ minLength: 1, maxLength: 20 }),
      operation: text,
      info: text,
      who: text,
      version: text,
      created,
      path: text,
    });
    fc.assert(
      fc.property(info, (lock) => {
        expect(parse(formatLockInfo(lock))).toEqual(lock);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.jsonValue(), (bytes, value) => {
        expect(() => parseLockInfo(bytes)).not.toThrow();
        expect(() => parse(JSON.stringify(value))).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});
