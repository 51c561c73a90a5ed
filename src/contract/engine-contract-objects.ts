import { expect, it } from 'vitest';
import type { SealedBody } from '../core/command.ts';
import { CONFLICT, NOTED, type RecordCommand } from '../ports/engine.ts';
import { ALICE, bodyOf, bytes, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

let objects = 0;

/** Bodies whose segments are objects outside the engine. */
export function objectContract(bench: Bench): void {
  function outside(body: SealedBody = bodyOf()): SealedBody & { readonly object: string } {
    objects += 1;
    return { ...body, object: `object-${process.pid}-${String(objects).padStart(4, '0')}`, segments: [] };
  }

  async function named(...names: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const page: readonly string[] = await bench.engine().objects(after, 2);
      expect(page).toEqual(page.toSorted());
      found.push(...page);
      after = page.at(-1) ?? null;
      if (after === null) return found.filter((name) => names.includes(name));
    }
  }

  async function gone(...names: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await bench.engine().goneObjects(after, 2);
      for (const { name, at } of page) {
        found.push(name);
        expect(Math.abs(Date.now() - at)).toBeLessThan(600_000);
      }
      after = page.at(-1)?.name ?? null;
      if (after === null) return found.filter((name) => names.includes(name));
    }
  }

  const apply = (command: RecordCommand): Promise<unknown> => bench.engine().apply([command]);

  it('keeps the name of an object in the place of segments, also over a restart', async () => {
    const [address, body] = [bench.address(), outside()];
    await bench.give(writeOf(address, 1n, { body }));
    await bench.reopen();
    const stored = await bench.engine().body(body.id);
    expect(stored?.object).toBe(body.object);
    for await (const segment of stored?.segments() ?? []) expect(segment).toBe(null);
    expect(await named(body.object)).toEqual([body.object]);
    expect(await gone(body.object)).toEqual([]);
  });

  it('names no object of a write that it refuses', async () => {
    const address = bench.address();
    await bench.give(writeOf(address, 5n));
    const body = outside();
    expect((await bench.give(writeOf(address, 1n, { body }))).type).toBe('stale');
    expect(await named(body.object)).toEqual([]);
    expect(await gone(body.object)).toEqual([]);
  });

  it('notes an object as gone when its version is pruned or purged', async () => {
    const address = bench.address();
    const bodies = [outside(), outside(), outside()];
    for (const [at, body] of bodies.entries()) await bench.give(writeOf(address, BigInt(at + 1), { body }));
    const [first, second, third] = bodies.map(({ object }) => object) as [string, string, string];
    const { at = 0 } = (await bench.engine().version(address, 1)) ?? {};
    await bench.give({ type: 'prune', address, actor: ALICE, versions: [{ number: 1, at }] });
    expect(await gone(first, second, third)).toEqual([first]);
    await bench.give({ type: 'delete', address, actor: ALICE, claim: { kind: 'none' } });
    expect(await gone(first, second, third)).toEqual([first]);
    expect((await bench.give({ type: 'purge', address, actor: ALICE })).type).toBe('purged');
    expect(await gone(first, second, third)).toEqual([first, second, third]);
    expect(await named(first, second, third)).toEqual([]);
    await apply({ type: 'forget-objects', names: [first, third] });
    expect(await gone(first, second, third)).toEqual([second]);
  });

  it('notes the object of an entry as gone when the entry is put again or dropped', async () => {
    const [one, other, refused] = [outside(), outside(), outside()];
    const entry = { kind: 'thing', name: one.object, attributes: {} };
    const put = (body: SealedBody, more: object = {}): Promise<unknown> =>
      apply({ type: 'put-entry', entry: { ...entry, bodyId: body.id }, body, note: null, ...more });
    await put(one);
    await put(other);
    expect(await gone(one.object, other.object)).toEqual([one.object]);
    expect(await put(refused, { expects: { not: 'this' } })).toEqual([CONFLICT]);
    expect(await named(one.object, other.object, refused.object)).toEqual([other.object]);
    await apply({ type: 'drop-entry', kind: entry.kind, name: entry.name, note: null });
    expect(await gone(one.object, other.object, refused.object)).toEqual([one.object, other.object]);
  });

  it('puts a body in another object when it is encrypted anew, and never from an object into rows or back', async () => {
    const [address, inside] = [bench.address(), bench.address()];
    const [old, rows] = [outside(), bodyOf([bytes('one')])];
    await bench.give(writeOf(address, 1n, { body: old }));
    await bench.give(writeOf(inside, 1n, { body: { ...rows, segments: [bytes('one')] } }));
    const replace = (body: SealedBody, replaces: Uint8Array): Promise<unknown> =>
      apply({ type: 'replace-bodies', bodies: [{ body, replaces }] });
    const anew = { ...outside(old), wrappedKey: bytes('n-new') };
    expect(await replace(anew, bytes('another'))).toEqual([NOTED]);
    expect(await named(old.object, anew.object)).toEqual([old.object]);
    expect(
      await replace({ ...old, object: undefined as never, segments: [bytes('x')] }, old.wrappedKey),
    ).toEqual([NOTED]);
    expect(await replace({ ...outside(rows), wrappedKey: bytes('n-rows') }, rows.wrappedKey)).toEqual([
      NOTED,
    ]);
    expect((await bench.engine().body(rows.id))?.object).toBe(undefined);
    expect(await replace(anew, old.wrappedKey)).toEqual([NOTED]);
    expect(await named(old.object, anew.object)).toEqual([anew.object]);
    expect(await gone(old.object, anew.object)).toEqual([old.object]);
    const wrapped = { kind: 'body', id: old.id, keyId: 'm', wrappedKey: bytes('m-wrapped') } as const;
    await apply({ type: 'reseal', items: [wrapped] });
    expect((await bench.engine().body(old.id))?.object).toBe(anew.object);
  });
}
