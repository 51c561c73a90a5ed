import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InProcessDoors, type InProcessRequest } from '../support/in-process-doors.ts';
import { basic } from '../support/request.ts';
import { signAsk } from '../support/ask-signed.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { sampleState } from '../support/sample-state.ts';
import { FUZZ_INPUTS, FUZZ_SEED, INPUT_MS_MAX } from './amount.ts';
import { Dice, mutate } from './mutation.ts';
import { REQUESTS, type KnownRequest } from './requests.ts';

// Whole requests that are nearly right, by one who may do everything: whatever comes of it, no door fails at it.

const COUNT = Math.ceil(FUZZ_INPUTS * 0.1);
/** S3's own word for what it does not do, and the word of every door for "ask again". */
const DECLARED = [501, 503];
/** Characters that Node.js lets through in a header, and in a path. */
const NOT_IN_HEADERS = /[^\t\u0020-\u007e\u0080-\u00ff]/g;
const NOT_IN_TARGETS = /[^\u0021-\u007e]/g;

let doors: InProcessDoors;

beforeAll(async () => {
  doors = await InProcessDoors.open();
  for (const target of ['/http/acme/net', '/http/acme/net?workspace=dev']) {
    const headers = { authorization: basic(TEST_ADMIN) };
    await doors.ask({ method: 'POST', target, headers, body: Buffer.from(sampleState(1)) });
  }
});
afterAll(() => doors[Symbol.asyncDispose]());

/** A request with one of its parts changed. */
function changed(known: KnownRequest, dice: Dice): KnownRequest {
  const mutated = (text: string, others: readonly string[]): string =>
    Buffer.from(
      mutate(
        [text, text, ...others].map((one) => Buffer.from(one)),
        dice,
      ),
    ).toString('latin1');
  switch (dice.below(5)) {
    case 0:
    case 1: {
      const target = mutated(known.target, []).replaceAll(NOT_IN_TARGETS, (c) => encodeURIComponent(c));
      return { ...known, target: `/${target.replace(/^\/+/, '')}`.slice(0, 8_000) };
    }
    case 2: {
      const names = Object.keys(known.headers);
      if (names.length === 0) return changed(known, dice);
      const name = dice.pick(names);
      const value = mutated(known.headers[name] ?? '', [])
        .replaceAll(NOT_IN_HEADERS, '')
        .trim()
        .slice(0, 8_000);
      return { ...known, headers: { ...known.headers, [name]: value } };
    }
    default: {
      const others = REQUESTS.filter(({ service }) => service === known.service).map(({ body }) => body);
      return { ...known, body: mutated(known.body, dice.below(4) === 0 ? others : []) };
    }
  }
}

async function signed(known: KnownRequest): Promise<InProcessRequest> {
  const { method, target, service, headers, body } = known;
  const bytes = Buffer.from(body, 'latin1');
  if (service === null)
    return { method, target, headers: { authorization: basic(TEST_ADMIN), ...headers }, body: bytes };
  const [path = '/', query = ''] = target.split(/\?(.*)/s);
  const pairs =
    query === '' ? [] : query.split('&').map((pair) => pair.split(/=(.*)/s).slice(0, 2).map(unescaped));
  const asked = {
    method,
    path,
    service,
    query: pairs.map(([name = '', value = '']) => [name, value] as const),
    headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...headers },
    body: bytes.toString('utf8'),
  };
  const prepared = await signAsk('http://127.0.0.1:7117', service === 's3' ? asked : { ...asked, headers });
  return { method, target: prepared.target, headers: prepared.headers, body: Buffer.from(asked.body) };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

describe(`doors, seed ${FUZZ_SEED}`, () => {
  it('answer whatever they are asked', { timeout: 3_600_000 }, async () => {
    const dice = new Dice(FUZZ_SEED);
    const answers = new Map<string, number>();
    for (let count = 0; count < COUNT; count += 1) {
      const known = dice.pick(REQUESTS);
      const request = await signed(
        count < REQUESTS.length ? (REQUESTS[count] as KnownRequest) : changed(known, dice),
      );
      const said = `seed ${FUZZ_SEED}, input ${count}: ${JSON.stringify({ ...request, body: Buffer.from(request.body).toString('latin1') })}`;
      const began = process.cpuUsage();
      const answer = await doors.ask(request).catch((fault: unknown) => {
        throw new Error(said, { cause: fault });
      });
      expect(process.cpuUsage(began).user / 1_000, said).toBeLessThan(INPUT_MS_MAX);
      const status = answer?.reply.status ?? 404;
      if (status >= 500) expect(DECLARED, `${said} ${answer?.text ?? ''}`).toContain(status);
      const kind = `${answer?.reply.operation === 'unknown' ? 'unknown' : 'known'} ${Math.floor(status / 100)}xx`;
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
    }
    // Most of them get past the signature and are looked at by an operation, and some are done.
    expect(answers.get('known 2xx') ?? 0, JSON.stringify([...answers])).toBeGreaterThan(COUNT / 20);
    expect(answers.get('known 4xx') ?? 0, JSON.stringify([...answers])).toBeGreaterThan(COUNT / 20);
  });
});
