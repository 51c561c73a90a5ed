import { expect, it } from 'vitest';
import { watchLine } from '../e2e/fixtures/line-watch.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

it('the doctor proves at the consul door that the lock excludes, and the server holds none of its requests open', async () => {
  await using house = await TestHouse.open();
  const seen = watchLine(house.engine);
  const env = { CONSUL_HTTP_TOKEN: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
  const attributes = [`address=${new URL(house.url).host}`, 'path=acme/net'];
  const words = [
    'doctor',
    '--json',
    '--backend=consul',
    ...attributes.map((one) => `--backend-config=${one}`),
  ];
  const { code, out, err } = await runStatehouse(words, { env });
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ ok: true });
  expect(out).toContain('the lock excludes');
  // Whoever is refused does not ask again: each attempt is one asker of its own.
  expect(seen.asked).toBeGreaterThan(5);
  expect(seen.handovers).toEqual([]);
});
