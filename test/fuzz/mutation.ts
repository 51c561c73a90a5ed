/** Numbers that look random, and are the same for the same seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, `below`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}

/** What has broken parsers before. */
const TOKENS: readonly string[] = [
  '',
  '\u0000',
  '\r\n',
  '\n',
  '"',
  "'",
  '\\',
  '%',
  '%00',
  '%zz',
  '%C3',
  '%2F',
  '../',
  '//',
  '@',
  ':',
  ';',
  ',',
  '=',
  '&',
  '?',
  '#',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '<',
  '>',
  '</',
  '/>',
  '<![CDATA[',
  ']]>',
  '<!--',
  '-->',
  '&amp;',
  '&#x110000;',
  '&#0;',
  '&x;',
  '*',
  '0',
  '-0',
  '-1',
  '1e400',
  '1E+5',
  '00',
  '9007199254740993',
  '99999999999999999999',
  '0x7fffffff',
  'NaN',
  'null',
  'true',
  '1,2',
  '__proto__',
  'constructor',
  'toString',
  '\ud800',
  '\ufeff',
  '\u202e',
  '\u{1f600}',
  'é',
  'env:/',
  '.tflock',
  '-md5',
  '$${',
  '${',
  '%{',
  '<<EOF\n',
  '/*',
  '*/',
  '//',
  'W/',
  'bytes=',
  'AWS4-HMAC-SHA256',
  'AND',
  'NOT ',
  ' IN (',
  'contains(',
];
const MOST = 64 * 1024;

/** Another input, made of known ones by a few small changes. */
export function mutate(corpus: readonly Uint8Array[], dice: Dice): Uint8Array {
  let bytes = Buffer.from(dice.pick(corpus));
  for (let changes = 1 + dice.below(4); changes > 0; changes -= 1) bytes = change(bytes, corpus, dice);
  return bytes.subarray(0, MOST);
}

function change(bytes: Buffer, corpus: readonly Uint8Array[], dice: Dice): Buffer<ArrayBuffer> {
  const at = dice.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + dice.below(16));
  const with_ = (from: number, inserted: Uint8Array, until: number): Buffer<ArrayBuffer> =>
    Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(until)]);
  switch (dice.below(9)) {
    case 0:
      return with_(at, Buffer.of(dice.below(256)), Math.min(bytes.length, at + 1));
    case 1:
      return with_(at, Buffer.of(dice.below(256)), at);
    case 2:
      return with_(at, Buffer.alloc(0), to);
    case 3:
      return with_(
        at,
        Buffer.concat(Array.from({ length: 1 + dice.below(60) }, () => bytes.subarray(at, to))),
        to,
      );
    case 4:
      return with_(at, Buffer.alloc(0), bytes.length);
    case 5: {
      const other = Buffer.from(dice.pick(corpus));
      return with_(at, other.subarray(dice.below(other.length + 1)), bytes.length);
    }
    default:
      return with_(at, Buffer.from(dice.pick(TOKENS)), dice.below(2) === 0 ? at : to);
  }
}
