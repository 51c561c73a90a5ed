import type { Holder, Version } from '../../../core/world.ts';
import { LOCK_FLAGS } from '../layout.ts';
import { base64 } from './value.ts';

/** One key as Consul shows it. */
export interface Pair {
  readonly key: string;
  /** In decimal: 64 bits. */
  readonly flags: string;
  readonly index: number;
  /** The session that holds it; empty for none. */
  readonly session: string;
  readonly value: Uint8Array | AsyncIterable<Uint8Array> | null;
}

/**
 * Indices grow with every change of a key, and are even where it is there: a state's is twice the number of its version, a lock's
 * twice its fence. What is gone has the odd one after it.
 */
export function stateIndex({ number }: Pick<Version, 'number'>): number {
  return 2 * number;
}

export function lockIndex({ fence }: Pick<Holder, 'fence'>): number {
  return 2 * fence;
}

export function absentIndex(last: number): number {
  return 2 * last + 1;
}

export function lockPair(key: string, holder: Holder): Pair {
  return { key, flags: LOCK_FLAGS, index: lockIndex(holder), session: holder.lockId, value: null };
}

export function infoPair(key: string, holder: Holder, info: Uint8Array): Pair {
  return { key, flags: '0', index: lockIndex(holder), session: '', value: info };
}

/** Pairs as Consul's JSON, as they are read. */
export async function* pairsJson(pairs: Iterable<Pair> | AsyncIterable<Pair>): AsyncGenerator<Uint8Array> {
  let separator = '[';
  for await (const pair of pairs) {
    yield Buffer.from(separator);
    yield* pairJson(pair);
    separator = ',';
  }
  yield Buffer.from(separator === '[' ? '[]' : ']');
}

/** One of them. Flags have more digits than a JavaScript number. */
export async function* pairJson(pair: Pair): AsyncGenerator<Uint8Array> {
  yield Buffer.from(head(pair));
  if (pair.value === null) yield Buffer.from('null');
  else {
    yield Buffer.from('"');
    yield* base64(pair.value);
    yield Buffer.from('"');
  }
  yield Buffer.from(tail(pair));
}

function head({ key, flags, session }: Pair): string {
  return `{"LockIndex":${session === '' ? 0 : 1},"Key":${JSON.stringify(key)},"Flags":${flags},"Value":`;
}

function tail({ index, session }: Pair): string {
  const held = session === '' ? '' : `"Session":${JSON.stringify(session)},`;
  return `,${held}"CreateIndex":1,"ModifyIndex":${index}}`;
}
