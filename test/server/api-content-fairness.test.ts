import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostileState } from '../support/hostile-state.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';
import { at, callApi } from './api-client.ts';

describe('states that are made to take long', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
    const states = {
      'sandbox/small': hostileState(126 * 1_024),
      'sandbox/large': hostileState(1_300_000),
      'sandbox/larger': hostileState(2_000_000),
      'prod/net': sampleState(1, { said: 'production' }),
    };
    for (const [address, body] of Object.entries(states)) {
      const written = await house.ask('POST', `/http/${address}`, { body });
      expect(written.status, written.text).toBe(200);
    }
  });
  afterAll(() => house.close());

  it('keep nobody else from an answer', async () => {
    const writer = await house.credential('sandbox', [{ role: 'writer', pattern: 'sandbox/*' }]);
    const begun = Date.now();
    const hostile = ['sandbox/small', 'sandbox/large'].map((address) =>
      callApi(house, `GET /state/snapshot${at(address)}`, { as: writer }),
    );
    const { status, json } = await callApi(house, `GET /state/outputs${at('prod/net')}`);
    expect(status).toBe(200);
    expect(json['outputs']?.['0']).toMatchObject({ value: 'production' });
    expect(Date.now() - begun).toBeLessThan(8_000);
    expect((await Promise.all(hostile)).map((answer) => answer.status)).toEqual([200, 200]);
  });

  it('are shown to one credential in its own turn, and no more than some wait', async () => {
    const writer = await house.credential('greedy', [{ role: 'writer', pattern: 'sandbox/*' }]);
    const order: string[] = [];
    const hostile = Array.from({ length: 12 }, async () => {
      const answer = await callApi(house, `GET /state/snapshot${at('sandbox/larger')}`, { as: writer });
      if (answer.status === 200) order.push('greedy');
      return answer;
    });
    const refused = await Promise.any(
      hostile.map(async (asked) => {
        const answer = await asked;
        if (answer.status !== 429) throw new Error(String(answer.status));
        return answer;
      }),
    );
    expect(refused.text).toContain('token:greedy waits for the contents of 8 states already');
    expect(refused.headers['retry-after']).toBe('2');
    expect((await callApi(house, `GET /state/outputs${at('prod/net')}`)).status).toBe(200);
    order.push('admin');
    const statuses = (await Promise.all(hostile)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([...Array(9).fill(200), ...Array(3).fill(429)]);
    expect(order.indexOf('admin')).toBeLessThan(3);
  });
});
