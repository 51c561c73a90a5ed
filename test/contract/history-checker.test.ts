import { describe, expect, it } from 'vitest';
import { checkHistory, type Operation, type SequentialModel } from '../../src/contract/history-checker.ts';

type Input = { readonly write: number } | 'read';

/** One number that is written and read. */
const register: SequentialModel<number, Input, number> = {
  initial: 0,
  step: (state, input, output) => {
    if (input !== 'read') return input.write;
    return output === null || output === state ? state : null;
  },
  key: String,
};

const op = (input: Input, output: number | null, began: number, ended: number): Operation<Input, number> => ({
  input,
  output,
  began,
  ended,
});

describe('the history checker', () => {
  it('finds an order where there is one', () => {
    const history = [
      op({ write: 1 }, 1, 0, 10),
      op('read', 0, 1, 4),
      op('read', 1, 5, 6),
      op({ write: 2 }, 2, 7, 20),
      op('read', 2, 12, 13),
    ];
    expect(checkHistory(register, history)).toEqual({ type: 'linearizable' });
  });

  it('refuses a read that goes back in time', () => {
    const history = [op({ write: 1 }, 1, 0, 10), op('read', 1, 1, 4), op('read', 0, 5, 6)];
    expect(checkHistory(register, history)).toMatchObject({ type: 'not-linearizable', ordered: 2 });
  });

  it('refuses a write that was answered and is not seen later', () => {
    const history = [op({ write: 1 }, 1, 0, 1), op('read', 0, 2, 3)];
    expect(checkHistory(register, history).type).toBe('not-linearizable');
  });

  it('lets an operation without an answer happen late, or never', () => {
    const lost = op({ write: 1 }, null, 0, 1);
    expect(checkHistory(register, [lost, op('read', 0, 2, 3)]).type).toBe('linearizable');
    expect(checkHistory(register, [lost, op('read', 0, 2, 3), op('read', 1, 4, 5)]).type).toBe(
      'linearizable',
    );
    const twice = [lost, op('read', 1, 2, 3), op('read', 0, 4, 5)];
    expect(checkHistory(register, twice).type).toBe('not-linearizable');
  });

  it('says so when it gives up', () => {
    const history = Array.from({ length: 12 }, (_, n) => op({ write: n }, n, 0, 100));
    const impossible = [...history, op('read', 99, 0, 100)];
    expect(checkHistory(register, impossible, 50)).toEqual({ type: 'unknown', steps: 51 });
  });
});
