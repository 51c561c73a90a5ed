import { beforeEach, describe, expect, it } from 'vitest';
import {
  REFUSAL_LIFE,
  REFUSALS_MAX,
  RefusalMemory,
  REMEMBERED_INFO_BYTES_MAX,
  type Viewer,
} from '../../../src/protocols/lock-object/refusal-memory.ts';
import type { SeenLock } from '../../../src/protocols/lock-object/shown-lock.ts';

let now = 0;
let memory: RefusalMemory;

beforeEach(() => {
  now = 1_000_000;
  memory = new RefusalMemory(() => now);
});

const lockOf = (lockId: string, info = new Uint8Array(0)): SeenLock =>
  ({ holder: { lockId }, info }) as SeenLock;
const HELD = lockOf('held');
/** Another connection each time, as behind a proxy, unless the port is said. */
const at = (name: string, port = (ports += 1)): Viewer => ({ name, port });
let ports = 0;

describe('a refusal', () => {
  it('is owed one look, of the client that was refused, where it was refused', () => {
    memory.refused(at('ci net s3'), 'mine', HELD);
    expect(memory.looks(at('bob net s3'))).toBeNull();
    expect(memory.looks(at('ci net dynamodb'))).toBeNull();
    expect(memory.looks(at('ci net s3'))).toBe(HELD);
    expect(memory.looks(at('ci net s3'))).toBeNull();
  });

  it('is owed one look for each lock ID, however often that asks', () => {
    memory.refused(at('ci'), 'mine', lockOf('before'));
    memory.refused(at('ci'), 'mine', HELD);
    memory.refused(at('ci'), 'other', HELD);
    expect([memory.looks(at('ci')), memory.looks(at('ci')), memory.looks(at('ci'))]).toEqual([
      HELD,
      HELD,
      null,
    ]);
  });

  it('is forgotten once the lock is granted', () => {
    memory.refused(at('ci'), 'mine', HELD);
    memory.granted(at('ci'), 'mine');
    expect(memory.looks(at('ci'))).toBeNull();
  });

  it('is forgotten after half a minute', () => {
    memory.refused(at('ci'), 'mine', HELD);
    now += REFUSAL_LIFE;
    memory.refused(at('ci'), 'other', HELD);
    now += 1;
    expect(memory.looks(at('ci'))).toBe(HELD);
    expect(memory.size).toBe(1);
    expect(memory.looks(at('ci'))).toBeNull();
  });

  it('is still owed its look after the holder, being the same client, has looked and unlocked', () => {
    memory.refused(at('ci'), 'mine', HELD);
    expect(memory.looks(at('ci'))).toBe(HELD);
    memory.unlooks(at('ci'));
    expect(memory.looks(at('ci'))).toBe(HELD);
  });

  it('is owed nothing after its own look, although the client looks once more and unlocks', () => {
    memory.refused(at('ci'), 'mine', HELD);
    memory.looks(at('ci'));
    memory.looks(at('ci'));
    memory.unlooks(at('ci'));
    expect(memory.looks(at('ci'))).toBeNull();
  });

  it('is owed its look over its own connection, and nothing after that, whoever unlocks', () => {
    memory.refused(at('ci', 1), 'mine', HELD);
    memory.refused(at('ci', 2), 'other', lockOf('another'));
    expect(memory.looks(at('ci', 2))?.holder.lockId).toBe('another');
    memory.unlooks(at('ci', 2));
    // Somebody else's look does not stand for that of the first.
    expect(memory.looks(at('ci', 3))).toBe(HELD);
    expect(memory.looks(at('ci', 1))).toBe(HELD);
    memory.unlooks(at('ci', 1));
    expect(memory.looks(at('ci', 1))).toBeNull();
  });

  it('is forgotten once its client has ended the lock by hand', () => {
    memory.refused(at('ci'), 'mine', HELD);
    memory.refused(at('ci'), 'other', HELD);
    memory.forget(at('ci'));
    expect(memory.looks(at('ci'))).toBeNull();
    expect(memory.size).toBe(0);
  });

  it('takes a bounded room', () => {
    for (let index = 0; index <= REFUSALS_MAX; index += 1) memory.refused(at(`ci-${index}`), 'mine', HELD);
    expect(memory.size).toBe(REFUSALS_MAX);
    expect(memory.looks(at('ci-0'))).toBeNull();
    expect(memory.looks(at('ci-1'))).toBe(HELD);
    const large = lockOf('held', new Uint8Array(REMEMBERED_INFO_BYTES_MAX + 1));
    memory.refused(at('large'), 'mine', large);
    expect(memory.looks(at('large'))).toBeNull();
  });
});
