import { describe, expect, it } from 'vitest';
import { command } from '../../src/cli/commands/serve.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { isProblem } from '../../src/core/read-value.ts';
import {
  configure,
  DEFAULTS,
  SHOWN_SETTINGS,
  toldOf,
  type Configuration,
} from '../../src/server/configuration.ts';
import { SETTINGS, type Settings } from '../../src/server/settings.ts';

/** The configuration that a command line of `serve` makes. */
function serve(words: readonly string[], env: Readonly<Record<string, string>> = {}): Configuration {
  const parsed = parseCommandLine('serve', command, words, env);
  if (parsed.type !== 'run') throw new Error('only the help was shown');
  const configuration = configure(parsed.options as unknown as Settings, env);
  if (isProblem(configuration)) throw new Error(configuration.problem);
  return configuration;
}

describe('the settings of a server', () => {
  it('are the options of serve, with the same defaults', () => {
    expect(Object.keys(command.options)).toEqual(Object.keys(SETTINGS));
    expect(serve([])).toEqual(DEFAULTS);
    expect(DEFAULTS).toMatchObject({
      host: '127.0.0.1',
      port: 7117,
      store: { kind: 'directory', path: './statehouse-data' },
      tls: { kind: 'none' },
      stateBytesMax: 512 * 1_048_576,
      inFlightBytesMax: 1_024 * 1_048_576,
      uploadBytesMax: 4_096 * 1_048_576,
      uploadIdle: 3_600_000,
      refusedKept: 14 * 86_400_000,
      refusedBytesMax: 1_024 * 1_048_576,
      plansShare: true,
      retention: {},
      logLevel: 'info',
      shutdownMs: 20_000,
    });
  });

  it('are given by options, or by the environment', () => {
    const words = ['--keep-versions=3', '--no-shared-plans', '--state-limit=64', '--listen=[::1]:80'];
    const all = { retention: { keepVersions: 3 }, plansShare: false, stateBytesMax: 64 * 1_048_576 };
    expect(serve(words)).toMatchObject({ ...all, host: '::1', port: 80 });
    const env = {
      STATEHOUSE_KEEP_VERSIONS: '3',
      STATEHOUSE_NO_SHARED_PLANS: 'true',
      STATEHOUSE_STATE_LIMIT: '64',
    };
    expect(serve([], env)).toMatchObject(all);
    expect(serve([], { DATABASE_URL: 'postgres://db' }).store).toEqual({
      kind: 'postgres',
      url: 'postgres://db',
    });
    expect(serve(['--data=d'], { DATABASE_URL: 'postgres://db' }).store).toEqual({
      kind: 'directory',
      path: 'd',
    });
  });

  it.each([
    ['--listen=nonsense', '--listen: invalid address "nonsense": expected HOST:PORT'],
    ['--state-limit=0', '--state-limit: invalid number "0": expected a whole number from 1 to 1900'],
    ['--keep-days=-1', '--keep-days: invalid number "-1": expected a whole number from 0 to'],
    ['--log-level=loud', '--log-level: invalid value "loud": expected one of debug, info'],
    ['--tls-cert=c.pem', '--tls-key is missing: --tls-cert and --tls-key go together'],
  ])('say what is invalid in %s, and what was expected', (word, says) => {
    expect(() => serve([word])).toThrow(says);
  });

  it('are told to users of the API where they are numbers and truth values, and only the named ones', () => {
    expect(Object.keys(toldOf(DEFAULTS))).toEqual(Object.keys(SHOWN_SETTINGS));
    for (const value of Object.values(toldOf(DEFAULTS)))
      expect(['number', 'boolean']).toContain(typeof value);
  });
});
