import { expect, it } from 'vitest';
import { placeOfState } from '../../src/runs/executors/state-relay.ts';
import { configure } from '../../src/server/configuration.ts';
import { SETTINGS, type Settings } from '../../src/server/settings.ts';

it('stands where the address of the state says, if that can be had without a network', () => {
  expect(placeOfState('http://127.0.0.1:7117/http/a/b')).toEqual({ host: '127.0.0.1', port: 7117 });
  expect(placeOfState('https://state.example.com/http/a/b')).toEqual({
    host: 'state.example.com',
    port: 443,
  });
  expect(placeOfState('http://house/http/a')).toEqual({ host: 'house', port: 80 });
  for (const url of ['http://10.0.0.5:7117/', 'https://[::1]:7117/'])
    expect(() => placeOfState(url)).toThrow(/by its name, or at 127\.0\.0\.1/);
});

it('is for runs in the sandbox alone', () => {
  const unsaid = Object.entries(SETTINGS).map(([key, { read }]) => [key, read(undefined)]);
  const settings = Object.fromEntries(unsaid) as unknown as Settings;
  expect(configure({ ...settings, runs: 'local', runNetwork: 'state' })).toMatchObject({
    problem: expect.stringMatching(/needs --runs sandbox/),
  });
});
