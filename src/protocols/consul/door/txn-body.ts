import { z } from 'zod';
import { withGoNames } from './go-json.ts';
import { ValueProblem } from './value.ts';

/** What is read into memory whole; of a longer transaction the value is taken as it comes. */
const AT_ONCE_BYTES = 4 * 1024 * 1024;
/** What may stand beside the value of a long transaction. */
const AROUND_BYTES_MAX = 64 * 1024;
/** Operations of one transaction (Consul's own limit is 128). */
const OPERATIONS_MAX = 128;

/** One operation of a transaction. */
export interface TxnOperation {
  readonly verb: string;
  readonly key: string;
  /** Asked once the value has been read: it may stand behind it. */
  readonly index: () => number;
  readonly session: () => string;
  readonly value: AsyncIterable<Uint8Array>;
}

const KV = z.object({
  Verb: z.string(),
  Key: z.string(),
  Value: z.string().nullish(),
  Index: z.number().int().nonnegative().nullish(),
  Session: z.string().nullish(),
});
const NAMES: readonly string[] = ['KV', ...Object.keys(KV.shape)];
const OPERATIONS = z.array(z.object({ KV })).min(1).max(OPERATIONS_MAX);
type Kv = z.infer<typeof KV>;

/**
 * Reads a transaction: whole if it is small. A large one has one operation, whose verb and key stand before its value, as Go's
 * client writes them.
 * @throws {ValueProblem} when it is none
 */
export async function readTxn(body: AsyncIterable<Uint8Array>): Promise<readonly TxnOperation[]> {
  const chunks = body[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let size = 0;
  while (size <= AT_ONCE_BYTES) {
    const next = await chunks.next();
    if (next.done === true) return operationsIn(Buffer.concat(read).toString('utf8')).map(inMemory);
    read.push(next.value);
    size += next.value.length;
  }
  return [longOperation(Buffer.concat(read), chunks)];
}

function inMemory(kv: Kv): TxnOperation {
  return {
    verb: kv.Verb,
    key: kv.Key,
    index: () => kv.Index ?? 0,
    session: () => kv.Session ?? '',
    value: decoded([Buffer.from(kv.Value ?? '')]),
  };
}

function longOperation(start: Buffer, rest: AsyncIterator<Uint8Array>): TxnOperation {
  const mark = /"Value"\s*:\s*"/i.exec(start.subarray(0, AROUND_BYTES_MAX).toString('latin1'));
  if (mark === null) throw new ValueProblem('a long transaction has its verb and key before its value');
  const at = mark.index + mark[0].length;
  const head = start.subarray(0, at).toString('utf8');
  const { Verb, Key } = only(operationsIn(`${head}"}}]`));
  let whole: Kv | null = null;
  const tail = (text: string): void => {
    whole = only(operationsIn(`${head}"${text}`));
  };
  return {
    verb: Verb,
    key: Key,
    index: () => whole?.Index ?? 0,
    session: () => whole?.Session ?? '',
    value: decoded(untilQuote(start.subarray(at), rest, tail)),
  };
}

/** The text of the value; what stands behind it is told at its end. */
async function* untilQuote(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  tail: (text: string) => void,
): AsyncGenerator<Uint8Array> {
  let behind: Buffer | null = null;
  for (let chunk: Uint8Array | null = start; chunk !== null;) {
    const quote: number = behind === null ? chunk.indexOf(0x22) : -1;
    if (behind !== null) behind = Buffer.concat([behind, chunk]);
    else if (quote === -1) yield chunk;
    else {
      yield chunk.subarray(0, quote);
      behind = Buffer.from(chunk.subarray(quote + 1));
    }
    if (behind !== null && behind.length > AROUND_BYTES_MAX)
      throw new ValueProblem('a long transaction has one operation');
    const next = await rest.next();
    chunk = next.done === true ? null : next.value;
  }
  if (behind === null) throw new ValueProblem('the transaction was cut within a value');
  tail(behind.toString('utf8'));
}

/** Base64 as its characters come, in groups of four. */
async function* decoded(text: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = '';
  for await (const chunk of text) {
    const joined = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const whole = joined.length - (joined.length % 4);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(joined))
      throw new ValueProblem('a value of the transaction is not base64');
    if (whole > 0) yield Buffer.from(joined.slice(0, whole), 'base64');
    rest = joined.slice(whole);
  }
  if (rest !== '') throw new ValueProblem('a value of the transaction is not base64');
}

function operationsIn(text: string): readonly Kv[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ValueProblem('the transaction is not JSON');
  }
  const parsed = OPERATIONS.safeParse(withGoNames(json, NAMES));
  if (!parsed.success) {
    throw new ValueProblem(
      `the transaction is invalid: expected 1 to ${OPERATIONS_MAX} operations on keys, each with "KV", "Verb" and "Key"`,
    );
  }
  return parsed.data.map(({ KV }) => KV);
}

function only([first, second]: readonly Kv[]): Kv {
  if (first === undefined || second !== undefined)
    throw new ValueProblem('a long transaction has one operation');
  return first;
}
