import { describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';

const state = (serial: number): string => `{"version": 4, "serial": ${serial}, "lineage": "l"}`;

describe('a read of a state that is written meanwhile', () => {
  it('finds the new one where the old one is pruned at once, and never says that there is none', async () => {
    await using house = await TestHouse.open({ retention: { keepVersions: 1, minKeepDays: 0 } });
    await house.ask('POST', '/http/acme/busy', { body: state(1) });
    const { engine } = house;
    const body = engine.body.bind(engine);
    let looked = 0;
    engine.body = async (id) => {
      looked += 1;
      if (looked === 1) {
        await house.ask('POST', '/http/acme/busy', { body: state(2) });
        return null;
      }
      return body(id);
    };
    const answer = await house.ask('GET', '/http/acme/busy');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe(state(2));
  });

  it('is answered with a fault where the bytes are gone', async () => {
    await using house = await TestHouse.open();
    await house.ask('POST', '/http/acme/damaged', { body: state(1) });
    house.engine.body = () => Promise.resolve(null);
    expect((await house.ask('GET', '/http/acme/damaged')).status).toBe(503);
  });
});
