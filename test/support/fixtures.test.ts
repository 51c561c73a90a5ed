import { describe, expect, it } from 'vitest';
import { HouseProcess } from './house-process.ts';
import { TestHouse } from './open-test-house.ts';
import { ask } from './request.ts';

describe('a house for tests', () => {
  it('runs in a process of its own, and again on the same port after a kill', async () => {
    await using house = await HouseProcess.start();
    expect((await ask(house.url, 'GET', '/readyz')).text).toContain('ready');
    await house.kill();
    await expect(ask(house.url, 'GET', '/readyz')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    await house.launch();
    expect((await ask(house.url, 'GET', '/http/acme/none')).status).toBe(404);
    expect(await house.stop()).toMatchObject({ code: 0 });
  });

  it('says why it did not open', async () => {
    await using house = await HouseProcess.start();
    await expect(
      HouseProcess.start({ flags: [`--listen=127.0.0.1:${house.port}`], directory: house.directory }),
    ).rejects.toThrow(/the house ended with 1:[^]*is in use by another process/);
  });

  it('runs inside the test, with a credential that opens it', async () => {
    await using house = await TestHouse.open();
    const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/*' }]);
    expect((await house.ask('GET', '/http/acme/none', { as: reader })).status).toBe(404);
    expect((await house.ask('GET', '/http/acme/none', { as: null })).status).toBe(401);
  });
});
