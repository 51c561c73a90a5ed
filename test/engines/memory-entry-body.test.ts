import { describe, expect, it } from 'vitest';
import type { SealedBody } from '../../src/core/command.ts';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import type { Entry } from '../../src/ports/engine.ts';

const clock = { now: () => 1, after: () => () => undefined };

function body(id: string): SealedBody {
  return { id, keyId: 'k', wrappedKey: new Uint8Array([1]), segments: [new TextEncoder().encode(id)] };
}

function piece(bodyId?: string): Entry {
  return { kind: 'piece', name: '1', attributes: {}, ...(bodyId === undefined ? {} : { bodyId }) };
}

describe('an entry with a body', () => {
  it('gives it back, and loses it when it is put again or dropped', async () => {
    const engine = new MemoryEngine(clock);
    await engine.apply([{ type: 'put-entry', entry: piece('a'), body: body('a'), note: null }]);
    expect(await engine.entries('piece')).toEqual([piece('a')]);
    expect((await engine.body('a'))?.keyId).toBe('k');
    await engine.apply([{ type: 'put-entry', entry: piece('b'), body: body('b'), note: null }]);
    expect(await engine.body('a')).toBeNull();
    expect(await engine.body('b')).not.toBeNull();
    await engine.apply([{ type: 'drop-entry', kind: 'piece', name: '1', note: null }]);
    expect(await engine.body('b')).toBeNull();
    expect(await engine.entries('piece')).toEqual([]);
  });
});
