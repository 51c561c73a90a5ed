import { beforeAll, describe, expect, it } from 'vitest';
import { formatAddress, objectName, S3_WORKSPACE_PREFIX, type Address } from '../core/address.ts';
import type { StateQuery } from '../ports/engine.ts';
import { ALICE, deleteOf, lockOf, unlockOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

/** Lists: states and the audit log. */
export function queryContract(bench: Bench): void {
  const { give } = bench;

  describe('the list of states', () => {
    const names = [
      'list-a/app@dev',
      'list-a/app',
      'list-a/app/x',
      'list-a/App',
      'list-a/ab',
      'list-a/\u{FF5E}',
      'list-a/\u{1F3E0}',
      'list-b/app',
      'list-b/gone',
      'list-b/locked',
    ];
    const inOrder = [
      'list-a/App',
      'list-a/ab',
      'list-a/app',
      'list-a/app@dev',
      'list-a/app/x',
      'list-a/\u{FF5E}',
      'list-a/\u{1F3E0}',
      'list-b/app',
      'list-b/locked',
    ];

    /** Those of the first project by the names of their objects: a workspace stands before the key there. */
    const namesOfA = [
      'list-a/App',
      'list-a/ab',
      'list-a/app',
      'list-a/app/x',
      'list-a/app@dev',
      'list-a/\u{FF5E}',
      'list-a/\u{1F3E0}',
    ];

    function addressOf(name: string): Address {
      const [path = '', workspace = 'default'] = name.split('@');
      const slash = path.indexOf('/');
      return { project: path.slice(0, slash), key: path.slice(slash + 1), workspace };
    }

    async function list(query: Partial<StateQuery>): Promise<string[]> {
      const states = await bench.engine().states({ limit: 1_000, ...query });
      return states.map(({ address }) => formatAddress(address)).filter((name) => name.startsWith('list-'));
    }

    beforeAll(async () => {
      for (const name of names) {
        const address = addressOf(name);
        await give(name === 'list-b/locked' ? lockOf(address, 'a') : writeOf(address, 1n));
      }
      await give(deleteOf(addressOf('list-b/gone')));
      await give(lockOf(addressOf('list-a/app'), 'l'));
      await give(lockOf(addressOf('list-a/app'), 'waits'));
      await give(lockOf(addressOf('list-a/ab'), 'l'));
      await give(unlockOf(addressOf('list-a/ab'), 'l'));
    });

    it('is in the order of project, key and workspace, byte by byte', async () => {
      expect(await list({})).toEqual(inOrder);
      expect(await list({ project: 'list-b' })).toEqual(['list-b/app', 'list-b/locked']);
      expect(await list({ project: 'list' })).toEqual([]);
    });

    it('shows deleted states and locked ones where that is asked', async () => {
      expect(await list({ project: 'list-b', deleted: true })).toEqual([
        'list-b/app',
        'list-b/gone',
        'list-b/locked',
      ]);
      expect(await list({ locked: true })).toEqual(['list-a/app', 'list-b/locked']);
      const first = { project: 'list-a', keyPrefix: 'app', limit: 1 };
      const [state] = await bench.engine().states({ ...first, lines: true });
      expect(state?.world).toEqual(await bench.engine().world(addressOf('list-a/app')));
      expect(state?.world.record.head?.serial).toBe(1n);
      expect(state?.world.line).toHaveLength(1);
      const [brief] = await bench.engine().states(first);
      expect(brief?.world).toEqual({ ...state?.world, line: [] });
    });

    it('is in the order of object names where that is asked, after one of them', async () => {
      const named = { prefix: '', after: '' };
      const workspaces = `${S3_WORKSPACE_PREFIX}/`;
      expect(await list({ project: 'list-a', named })).toEqual(namesOfA);
      expect(await list({ project: 'list-a', named: { prefix: '', after: 'app' } })).toEqual(
        namesOfA.slice(3),
      );
      expect(await list({ project: 'list-a', named: { prefix: workspaces, after: '' } })).toEqual([
        'list-a/app@dev',
      ]);
      expect(
        await list({
          project: 'list-a',
          named: { prefix: workspaces, after: objectName({ key: 'app', workspace: 'dev' }) },
        }),
      ).toEqual([]);
      expect(await list({ project: 'list-b', named, deleted: true })).toEqual([
        'list-b/app',
        'list-b/gone',
        'list-b/locked',
      ]);
      expect(await list({ project: 'list-b', named })).toEqual(['list-b/app', 'list-b/locked']);
    });

    it('is searched by prefix and by text, in which nothing is a wildcard', async () => {
      expect(await list({ project: 'list-a', keyPrefix: 'app' })).toEqual([
        'list-a/app',
        'list-a/app@dev',
        'list-a/app/x',
      ]);
      expect(await list({ keyPrefix: '\u{1F3E0}' })).toEqual(['list-a/\u{1F3E0}']);
      expect(await list({ keyPrefix: 'A%' })).toEqual([]);
      expect(await list({ search: 'app@d' })).toEqual(['list-a/app@dev']);
      expect(await list({ search: 'b/l' })).toEqual(['list-b/locked']);
      expect(await list({ search: 'APP' })).toEqual([]);
      expect(await list({ search: 'a_p' })).toEqual([]);
    });

    it('is read a page at a time, each after the one before', async () => {
      const found: string[] = [];
      let after: Address | undefined;
      for (;;) {
        const page = await bench
          .engine()
          .states({ limit: 2, search: 'list-', ...(after === undefined ? {} : { after }) });
        expect(page.length).toBeLessThanOrEqual(2);
        if (page.length === 0) break;
        found.push(...page.map(({ address }) => formatAddress(address)));
        after = page.at(-1)?.address;
      }
      expect(found).toEqual(inOrder);
    });
  });

  it('counts states, versions and bytes', async () => {
    const before = await bench.engine().figures();
    const [one, two] = [bench.address(), bench.address()];
    await give(writeOf(one, 1n));
    await give(writeOf(one, 2n));
    await give(writeOf(two, 1n));
    await give(deleteOf(two));
    await give(lockOf(bench.address(), 'a'));
    const { states, versions, bytes } = await bench.engine().figures();
    expect([states - before.states, versions - before.versions]).toEqual([1, 3]);
    expect(bytes).toBeGreaterThan(0);
  });

  describe('the audit log', () => {
    it('is told with what came of a command, to whoever asks for it', async () => {
      const address = bench.address();
      const [result] = await bench.engine().apply([writeOf(address, 1n)], { notes: true });
      const [record] = await bench.engine().audit({ address, limit: 1 });
      expect(result?.notes).toEqual([record?.note]);
    });

    it('has a line for every deed, newest first, and can be asked by address, action and subject', async () => {
      const address = bench.address();
      await give(writeOf(address, 3n));
      await give(lockOf(address, 'a'));
      await give(unlockOf(address, 'a'));
      await give(lockOf(bench.address(), 'elsewhere'));
      const records = await bench.engine().audit({ address, limit: 10 });
      expect(records.map(({ note }) => note.action)).toEqual(['unlock', 'lock', 'write']);
      expect(records[2]).toMatchObject({
        at: bench.clock.now(),
        address,
        note: {
          action: 'write',
          subject: ALICE.subject,
          door: ALICE.door,
          detail: { version: 1, serial: '3' },
        },
      });
      const ids = records.map(({ id }) => id);
      expect(ids).toEqual([...ids].sort((a, b) => b - a));
      expect(await bench.engine().audit({ address, action: 'lock', limit: 10 })).toEqual([records[1]]);
      const older = { address, subject: ALICE.subject, before: ids[0] ?? 0, limit: 1 };
      expect(await bench.engine().audit(older)).toEqual([records[1]]);
      expect(await bench.engine().audit({ address, subject: 'token:nobody', limit: 10 })).toEqual([]);
      const [newest, oldest] = [records[0]?.at ?? 0, records.at(-1)?.at ?? 0];
      const span = { address, since: oldest, until: newest + 1, limit: 10 };
      expect(await bench.engine().audit(span)).toEqual(records);
      expect(await bench.engine().audit({ ...span, until: oldest })).toEqual([]);
      expect(await bench.engine().audit({ ...span, since: newest + 1 })).toEqual([]);
      expect(await bench.engine().audit({ since: newest + 1, limit: 10 })).toEqual([]);
      expect(await bench.engine().audit({ address: bench.address(), limit: 10 })).toEqual([]);
    });

    it('has lines that belong to no address, and lines of addresses that have nothing else', async () => {
      const address = bench.address();
      const note = { action: 'refused', subject: 'token:mallory', door: 'http', detail: { why: 'secret?' } };
      await bench.engine().apply([
        { type: 'audit', address: null, note },
        { type: 'audit', address, note },
      ]);
      const records = await bench.engine().audit({ subject: 'token:mallory', limit: 10 });
      expect(records).toMatchObject([
        { address, note },
        { address: null, note },
      ]);
      const { project } = address;
      expect(await bench.engine().states({ project, used: true, deleted: true, limit: 10 })).toEqual([]);
    });

    it('says where a deed came from, whatever a client calls itself, and what it was refused for', async () => {
      const address = bench.address();
      const subject = `token:${address.project}`;
      const origin = {
        credential: 'SHABCDEFGHIJKLMNOP',
        peer: '::ffff:10.0.0.1',
        requestId: '0123456789ABCDEF',
        userAgent: '\\ \0 "it\'s"; DROP TABLE audit --\u001b[2K \ud83d \u{1F3E0}',
      };
      await give({ ...lockOf(address, 'a'), actor: { ...ALICE, subject, origin } });
      const note = { action: 'write', subject, door: 'http', detail: {} };
      await bench.engine().apply([
        { type: 'audit', address, note: { ...note, origin, refused: 'forbidden' } },
        { type: 'audit', address, note },
      ]);
      const records = await bench.engine().audit({ subject, limit: 10 });
      expect(records.map((record) => record.note)).toEqual([
        note,
        { ...note, origin, refused: 'forbidden' },
        { ...note, action: 'lock', detail: expect.objectContaining({ lock: 'a' }), origin },
      ]);
      const refused = await bench.engine().audit({ subject, refused: true, limit: 10 });
      expect(refused).toEqual([records[1]]);
    });
  });
}
