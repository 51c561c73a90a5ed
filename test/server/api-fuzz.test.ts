import { fc } from '../support/chance.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/server/api/table.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

const RUNS = 1_500;

/** Routes that do nothing that a random call could spoil for the others. */
const FUZZED = ROUTES.filter(({ operation }) => !['events', 'rotate-key'].includes(operation));

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e9',
    'true',
    'acme/a',
    'acme/a@dev',
    'acme/..',
    '%',
    '%zz',
    '%00',
    '%2F',
    '\u0000',
  ),
  fc.integer().map(String),
);
const escaped = fc.oneof(
  odd.map(encodeURIComponent),
  fc.constantFrom('%', '%zz', '%c3', '%00', '+', '&', '='),
);
const names = fc.constantFrom(
  'address',
  'version',
  'from',
  'to',
  'limit',
  'cursor',
  'search',
  'instance',
  'lock',
  '__proto__',
);
const call = fc.record({
  route: fc.constantFrom(...FUZZED),
  named: escaped,
  query: fc.array(fc.tuple(names, escaped), { maxLength: 4 }),
  body: fc.option(fc.oneof(fc.json(), fc.string({ maxLength: 60 })), { nil: null }),
});

describe('the API, asked anything', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
    await house.ask('POST', '/http/acme/a', { body: sampleState(1) });
    await house.ask('LOCK', '/http/acme/a', { body: sampleLock('one') });
  });
  afterAll(() => house.close());

  it('answers in JSON or as it says, never with a fault, and stays up', async () => {
    await fc.assert(
      fc.asyncProperty(call, async ({ route, named, query, body }) => {
        const path = route.path.replaceAll(/:\w+/g, () => named);
        const text = query.map(([name, value]) => `${name}=${value}`).join('&');
        const target = `/api/v1${path}${text === '' ? '' : `?${text}`}`;
        const headers = { 'content-type': 'application/json' };
        const answer = await house.ask(route.method, target, body === null ? {} : { body, headers });
        expect(answer.status, `${route.method} ${target}`).toBeLessThan(500);
        if (answer.status === 304) return;
        const isExport = answer.status === 200 && route.answer.type !== undefined;
        expect(answer.headers['content-type'], target).toContain(isExport ? route.answer.type : 'json');
        if (!isExport) expect(() => JSON.parse(answer.text) as unknown, target).not.toThrow();
      }),
      { numRuns: RUNS },
    );
    expect((await house.ask('GET', '/readyz')).status).toBe(200);
  }, 180_000);
});
