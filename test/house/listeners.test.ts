import { describe, expect, it } from 'vitest';
import { LocalSignals } from '../../src/house/local-signals.ts';
import { Listeners } from '../../src/ports/listeners.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Signal } from '../../src/ports/signals.ts';
import { sampleState } from '../support/sample-state.ts';
import { BuiltHouse, ENGINES } from './fixtures/built-house.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';

describe('listeners', () => {
  it('are all told, and one that fails stops neither the others nor who tells', () => {
    const logged: unknown[] = [];
    const say = (...words: unknown[]): void => void logged.push(words);
    const log: Log = { debug: say, info: say, warn: say, error: say };
    const told: string[] = [];
    const listeners = new Listeners<[string]>('signal', log);
    listeners.add(() => {
      throw new TypeError('no');
    });
    const off = listeners.add((word) => void told.push(word));
    listeners.tell('one');
    off();
    listeners.tell('two');
    expect(told).toEqual(['one']);
    expect(logged).toEqual([
      ['a listener failed', { listener: 'signal', fault: 'TypeError: no' }],
      ['a listener failed', { listener: 'signal', fault: 'TypeError: no' }],
    ]);
    const signals = new LocalSignals(log);
    const fail = (): void => {
      throw new TypeError('no');
    };
    signals.subscribe(fail);
    signals.subscribe(({ subject }) => void told.push(subject));
    signals.publish({ subject: 'token:ci' } as Signal);
    expect(told).toEqual(['one', 'token:ci']);
  });

  it.each(ENGINES)('that fail do not fail the command that they are told of (%s)', async (engine) => {
    await using built = await BuiltHouse.build(engine);
    const fail = (): void => {
      throw new TypeError('no');
    };
    built.house.listen(fail);
    built.house.signals.subscribe(fail);
    expect((await built.write(ADMIN_CALLER, sampleState(1))).type).toBe('stored');
    expect(built.errors).toHaveLength(2);
  });
});
