const CODE_BYTES = 32;
const NO_BYTES = new Uint8Array();

/** A code, and behind it those that the same record had under former keys, newest first. */
export function withFormer(code: Uint8Array, former: unknown): Uint8Array {
  return former instanceof Uint8Array ? Buffer.concat([code, former]) : code;
}

/** What comes before a record, as its code goes on from it: the code alone. */
export function codeOf(codes: Uint8Array): Uint8Array {
  return codes.subarray(0, CODE_BYTES);
}

/** Each of them. */
export function eachCode(codes: unknown): readonly Uint8Array[] {
  const all = codes instanceof Uint8Array ? codes : NO_BYTES;
  const count = Math.floor(all.length / CODE_BYTES);
  return Array.from({ length: count }, (_, at) => all.subarray(at * CODE_BYTES, (at + 1) * CODE_BYTES));
}
