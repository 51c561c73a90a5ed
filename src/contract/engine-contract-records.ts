import { describe, expect, it } from 'vitest';
import type { Credential } from '../core/credential.ts';
import type { AuditNote } from '../core/effect.ts';
import type { SealedBody } from '../core/command.ts';
import { CONFLICT, type Entry, type Expected, NOTED, type RecordCommand } from '../ports/engine.ts';
import type { Resealed } from '../ports/sealed-anew.ts';
import { bodyOf, bytes, lockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

/** Credentials, entries, and what is sealed under which key. */
export function recordContract(bench: Bench): void {
  const note = (action: string): AuditNote => ({
    action,
    subject: 'token:admin',
    door: 'api',
    detail: { some: 'text', count: 2, yes: true },
  });

  function credential(id: string, change: Partial<Credential> = {}): Credential {
    return {
      id,
      name: `name of ${id}`,
      sealedSecret: bytes(`k-${id}`),
      grants: [{ role: 'writer', pattern: 'acme/net/*@*' }],
      createdAt: 1_000,
      expiresAt: null,
      revokedAt: null,
      ...change,
    };
  }

  async function credentialsOf(...ids: string[]): Promise<Credential[]> {
    const all = await bench.engine().credentials();
    return all
      .filter(({ id }) => ids.includes(id))
      .map((kept) => ({ ...kept, sealedSecret: Uint8Array.from(kept.sealedSecret) }));
  }

  it('puts a body in the place of the one that it was made of, and of no other', async () => {
    const address = bench.address();
    const old = bodyOf([bytes('one'), bytes('two')]);
    await bench.give(
      writeOf(address, 1n, { body: { ...old, segments: old.segments.map((one) => one.slice()) } }),
    );
    const replace = (text: string, replaces: Uint8Array): Promise<unknown> => {
      const body = {
        ...old,
        keyId: 'n',
        wrappedKey: bytes(`n-${text}`),
        segments: [bytes(text), bytes('end')],
      };
      return bench.engine().apply([{ type: 'replace-bodies', bodies: [{ body, replaces }] }]);
    };
    const stored = async (): Promise<unknown> => {
      const body = await bench.engine().body(old.id);
      const texts: string[] = [];
      for await (const segment of body?.segments() ?? []) texts.push(Buffer.from(segment).toString());
      return { texts, keyId: body?.keyId, madeUnder: body?.madeUnder };
    };
    const marks: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await bench.engine().bodies(after, 2);
      marks.push(...page.map(({ id, madeUnder }) => `${id} ${madeUnder}`));
      after = page.at(-1)?.place ?? null;
      if (after === null) break;
    }
    expect(marks.filter((mark) => mark.startsWith(`${old.id} `))).toEqual([`${old.id} k`]);
    expect(await replace('late', bytes('another'))).toEqual([NOTED]);
    expect(await stored()).toEqual({ texts: ['one', 'two'], keyId: 'k', madeUnder: 'k' });
    expect(await replace('new', old.wrappedKey)).toEqual([NOTED]);
    expect(await stored()).toEqual({ texts: ['new', 'end'], keyId: 'n', madeUnder: 'n' });
    const wrapped = { kind: 'body', id: old.id, keyId: 'm', wrappedKey: bytes('m-wrapped') } as const;
    for (const replaces of [bytes('another'), bytes('n-new')])
      await bench.engine().apply([{ type: 'reseal', items: [{ ...wrapped, replaces }] }]);
    expect(await stored()).toEqual({ texts: ['new', 'end'], keyId: 'm', madeUnder: 'n' });
    await bench
      .engine()
      .apply([{ type: 'replace-bodies', bodies: [{ body: bodyOf(), replaces: bytes('x') }] }]);
  });

  it('shows many entries some at a time, in their order', async () => {
    const kind = 'paged';
    const names = Array.from({ length: 25 }, (_, at) => `name-${String(at).padStart(2, '0')}`);
    await bench.engine().apply([
      ...names.toReversed().map((name): RecordCommand => ({
        type: 'put-entry',
        entry: { kind, name, attributes: {} },
        note: null,
      })),
      { type: 'put-entry', entry: { kind: 'paged after', name: 'a', attributes: {} }, note: null },
    ]);
    const seen: string[] = [];
    for (let after: Entry | undefined; ;) {
      const page = await bench
        .engine()
        .entries(kind, { limit: 10, ...(after === undefined ? {} : { after }) });
      seen.push(...page.map(({ name }) => name));
      after = page.at(-1);
      if (after === undefined) break;
    }
    expect(seen).toEqual(names);
    const beyond = await bench.engine().entries(null, { after: { kind, name: 'name-23' }, limit: 2 });
    expect(beyond.map(({ name }) => name)).toEqual(['name-24', 'a']);
  });

  describe('a credential', () => {
    it('is kept as it is, and put again in its place, oldest first', async () => {
      const late = credential('CREDENTIALLATE01', { createdAt: 2_000, expiresAt: 9_000 });
      const early = credential('CREDENTIALEARLY1');
      for (const each of [late, early]) {
        const put = { type: 'put-credential', credential: each, note: note('credential-made') } as const;
        expect(await bench.engine().apply([put])).toEqual([NOTED]);
      }
      expect(await credentialsOf(late.id, early.id)).toEqual([early, late]);
      const revoked = { ...late, revokedAt: 5_000, grants: [] };
      await bench
        .engine()
        .apply([{ type: 'put-credential', credential: revoked, note: note('credential-revoked') }]);
      expect(await credentialsOf(late.id, early.id)).toEqual([early, revoked]);
    });

    it('is changed as it then is, but not where it is revoked or gone', async () => {
      const good = credential('CREDENTIALCHANGE');
      const revoked = credential('CREDENTIALCHANG2', { revokedAt: 5_000 });
      for (const each of [good, revoked])
        await bench.engine().apply([{ type: 'put-credential', credential: each, note: null }]);
      const changed = { grants: [{ role: 'reader', pattern: 'a/*' }], expiresAt: 7_000 } as const;
      const change = (id: string, to: Partial<typeof changed>): Promise<unknown> =>
        bench.engine().apply([{ type: 'change-credential', id, change: to, note: note('changed') }]);
      expect(await change(good.id, changed)).toEqual([NOTED]);
      expect(await change(good.id, { expiresAt: 7_000 })).toEqual([NOTED]);
      expect(await change(revoked.id, changed)).toEqual([CONFLICT]);
      expect(await change('CREDENTIALNOBODY', changed)).toEqual([CONFLICT]);
      await bench.reopen();
      expect(await credentialsOf(good.id, revoked.id)).toEqual([{ ...good, ...changed }, revoked]);
    });

    it('is forgotten once it has ended long enough, as it then is', async () => {
      const revoked = credential('CREDENTIALENDED1', { revokedAt: 5_000 });
      const expired = credential('CREDENTIALENDED2', { expiresAt: 6_000 });
      const good = credential('CREDENTIALGOOD01', { expiresAt: 20_000 });
      for (const each of [revoked, expired, good])
        await bench.engine().apply([{ type: 'put-credential', credential: each, note: null }]);
      const drop = (revokedBefore: number, expiredBefore: number): Promise<unknown> =>
        bench
          .engine()
          .apply([{ type: 'drop-credentials', revokedBefore, expiredBefore, note: note('forgotten') }]);
      expect(await drop(5_000, 6_000)).toEqual([NOTED]);
      expect(await credentialsOf(revoked.id, expired.id, good.id)).toEqual([revoked, expired, good]);
      // Good again, as the one is that the configuration fixes.
      const again = { ...revoked, revokedAt: null };
      await bench.engine().apply([{ type: 'put-credential', credential: again, note: null }]);
      await drop(9_000, 9_000);
      expect(await credentialsOf(revoked.id, expired.id, good.id)).toEqual([again, good]);
      await drop(9_000, 90_000);
      expect(await credentialsOf(good.id)).toEqual([]);
    });

    it('is made and forgotten in one call, and the others are there when the engine is opened again', async () => {
      const put = (each: Credential): RecordCommand => ({
        type: 'put-credential',
        credential: each,
        note: null,
      });
      const [old, dead, good] = ['OLD', 'DEAD', 'GOOD'].map((name) => credential(`CREDENTIALPRUNED${name}`));
      const ended = [old, dead].map((each) => ({ ...each!, revokedAt: 5_000 }));
      await bench.engine().apply([put(ended[0]!)]);
      const drop = { type: 'drop-credentials', revokedBefore: 9_000, expiredBefore: 0, note: null } as const;
      expect(await bench.engine().apply([put(ended[1]!), drop, put(good!)])).toEqual([NOTED, NOTED, NOTED]);
      await bench.reopen();
      expect(await credentialsOf(old!.id, dead!.id, good!.id)).toEqual([good]);
    });
  });

  describe('an entry', () => {
    it('is put, put again, dropped, and listed by name, byte by byte', async () => {
      const put = (name: string, attributes: Record<string, unknown>) =>
        bench
          .engine()
          .apply([{ type: 'put-entry', entry: { kind: 'project', name, attributes }, note: null }]);
      for (const name of ['b', '\u{1F3E0}', 'B', '\u{FF5E}', 'a'])
        await put(name, { retention: { days: 3 } });
      await put('b', { nested: [1, 'two', null] });
      const entries = await bench.engine().entries('project');
      expect(entries.map(({ name }) => name)).toEqual(['B', 'a', 'b', '\u{FF5E}', '\u{1F3E0}']);
      expect(entries[2]).toEqual({ kind: 'project', name: 'b', attributes: { nested: [1, 'two', null] } });
      expect(await bench.engine().entry('project', 'b')).toEqual(entries[2]);
      await bench
        .engine()
        .apply([{ type: 'drop-entry', kind: 'project', name: 'b', note: note('project-dropped') }]);
      expect(await bench.engine().entry('project', 'b')).toBeNull();
      await bench.engine().apply([{ type: 'drop-entry', kind: 'other', name: 'a', note: null }]);
      expect((await bench.engine().entries('project')).map(({ name }) => name)).not.toContain('b');
      expect(await bench.engine().entries('other')).toEqual([]);
    });

    it('takes its body with it when it is dropped or put again', async () => {
      const [first, second] = [bodyOf([bytes('piece 1')]), bodyOf([bytes('piece 2')])];
      const ids = [first.id, second.id];
      const there = (): Promise<boolean[]> =>
        Promise.all(ids.map(async (id) => (await bench.engine().body(id)) !== null));
      for (const [index, body] of [first, second].entries()) {
        const entry = { kind: 'piece', name: '1', attributes: {}, bodyId: body.id };
        await bench.engine().apply([{ type: 'put-entry', entry, body, note: null }]);
        expect(await bench.engine().entries('piece')).toEqual([entry]);
        expect(await there()).toEqual([index === 0, index === 1]);
      }
      await bench.engine().apply([{ type: 'drop-entry', kind: 'piece', name: '1', note: null }]);
      expect(await there()).toEqual([false, false]);
    });

    it('may be put again with a body of the same id, which is then the new one', async () => {
      const first = bodyOf([bytes('first'), bytes('more')]);
      const second = { ...bodyOf([bytes('second')]), id: first.id };
      const entry = { kind: 'same-body', name: '1', attributes: { is: 1 }, bodyId: first.id };
      const again = { ...entry, attributes: { is: 2 } };
      await bench.engine().apply([{ type: 'put-entry', entry, body: first, note: null }]);
      await bench
        .engine()
        .apply([{ type: 'put-entry', entry: again, body: second, expects: { is: 1 }, note: null }]);
      expect(await bench.engine().entries('same-body')).toEqual([again]);
      const stored = await bench.engine().body(first.id);
      const segments: string[] = [];
      for await (const segment of stored?.segments() ?? []) segments.push(Buffer.from(segment).toString());
      expect(segments).toEqual(['second']);
      expect(Buffer.from(stored?.wrappedKey ?? [])).toEqual(Buffer.from(second.wrappedKey));
      await bench.engine().apply([{ type: 'drop-entry', kind: 'same-body', name: '1', note: null }]);
      expect(await bench.engine().body(first.id)).toBeNull();
    });

    it('is changed only if what is stored is what was expected', async () => {
      const [kind, name] = ['compared', 'c'];
      const put = (attributes: Entry['attributes'], expects: Expected): RecordCommand => ({
        type: 'put-entry',
        entry: { kind, name, attributes },
        expects,
        note: note('compared-set'),
      });
      const drop = (expects: Expected): RecordCommand => ({
        type: 'drop-entry',
        kind,
        name,
        expects,
        note: null,
      });
      const answers = async (...commands: readonly RecordCommand[]): Promise<string[]> =>
        (await bench.engine().apply(commands)).map(({ outcome }) => outcome.type);
      const stored = async (): Promise<unknown[]> =>
        (await bench.engine().entries(kind)).map(({ attributes }) => attributes);
      expect(await answers(put({ a: 1 }, { a: 0 }), drop({ a: 1 }))).toEqual(['conflict', 'conflict']);
      expect(await stored()).toEqual([]);
      // Each sees what the ones before it in the same call have made of it.
      expect(
        await answers(put({ a: 1, b: [1] }, null), put({ a: 2 }, null), put({ a: 3 }, { b: [1], a: 1 })),
      ).toEqual(['noted', 'conflict', 'noted']);
      expect(await stored()).toEqual([{ a: 3 }]);
      expect(await answers(drop({ a: 1 }), drop({ a: 3, b: 1 }))).toEqual(['conflict', 'conflict']);
      expect(await stored()).toEqual([{ a: 3 }]);
      expect(await answers(drop({ a: 3 }), put({ a: 4 }, { a: 3 }), drop(null))).toEqual([
        'noted',
        'conflict',
        'noted',
      ]);
      expect(await stored()).toEqual([]);
      const noted = await bench.engine().audit({ action: 'compared-set', limit: 9 });
      expect(noted).toHaveLength(2);
    });

    it('that conflicts keeps its body, and the new one is not kept', async () => {
      const [first, second] = [bodyOf([bytes('first')]), bodyOf([bytes('second')])];
      const put = (body: SealedBody, expects: Expected): RecordCommand => ({
        type: 'put-entry',
        entry: { kind: 'compared-body', name: 'b', attributes: {}, bodyId: body.id },
        body,
        expects,
        note: null,
      });
      const results = await bench.engine().apply([put(first, null), put(second, null)]);
      expect(results).toEqual([NOTED, CONFLICT]);
      expect(await bench.engine().body(first.id)).not.toBeNull();
      expect(await bench.engine().body(second.id)).toBeNull();
    });

    it('loses no change of those that are made of it side by side', async () => {
      const [kind, name] = ['counted', 'c'];
      const add = async (): Promise<void> => {
        for (;;) {
          const [stored] = await bench.engine().entries(kind);
          const attributes = { count: Number(stored?.attributes['count'] ?? 0) + 1 };
          const command = { type: 'put-entry', entry: { kind, name, attributes }, note: null } as const;
          const [result] = await bench.engine().apply([{ ...command, expects: stored?.attributes ?? null }]);
          if (result?.outcome.type === 'noted') return;
        }
      };
      await Promise.all(Array.from({ length: 12 }, add));
      expect((await bench.engine().entries(kind))[0]?.attributes).toEqual({ count: 12 });
    });
  });

  describe('a change of the master key', () => {
    it('finds all that is sealed under another, and puts the new sealing in its place', async () => {
      const address = bench.address();
      const body = bodyOf([bytes('text')], 'o');
      await bench
        .engine()
        .apply([
          { type: 'put-credential', credential: credential('CREDENTIALOTHER1'), note: note('made') },
          writeOf(address, 1n, { body }),
          lockOf(address, 'holder', { info: bytes('o-holder') }),
          lockOf(address, 'waiter', { info: bytes('o-waiter') }),
        ]);
      let pages = 0;
      for (;;) {
        const page = await bench.engine().sealedUnderOther('n', 2);
        expect(page.length).toBeLessThanOrEqual(2);
        if (page.length === 0) break;
        pages += 1;
        await bench.engine().apply([{ type: 'reseal', items: page.map(resealed) }]);
      }
      expect(pages).toBeGreaterThan(1);
      const { holders, line } = await bench.engine().world(address);
      expect(Buffer.from(holders[0]?.info ?? []).toString()).toBe('n-holder');
      expect(Buffer.from(line[0]?.info ?? []).toString()).toBe('n-waiter');
      const stored = await bench.engine().body(body.id);
      expect(stored?.keyId).toBe('n');
      expect(Buffer.from(stored?.wrappedKey ?? []).toString()).toBe('n-wrapped');
      const segments: string[] = [];
      for await (const segment of stored?.segments() ?? []) segments.push(Buffer.from(segment).toString());
      expect(segments).toEqual(['text']);
      // What was handed on since, or released, is not there any more to be sealed again.
      const gone = { kind: 'holder', address, lockId: 'gone', sealed: bytes('n-gone') } as const;
      expect(await bench.engine().apply([{ type: 'reseal', items: [gone] }])).toEqual([NOTED]);
      expect(await bench.engine().sealedUnderOther('n', 9)).toEqual([]);
    });
  });
}

function resealed(item: Resealed): Resealed {
  const under = (sealed: Uint8Array): Uint8Array => bytes(`n${Buffer.from(sealed).toString().slice(1)}`);
  return item.kind === 'body'
    ? { ...item, keyId: 'n', wrappedKey: under(item.wrappedKey) }
    : { ...item, sealed: under(item.sealed) };
}
