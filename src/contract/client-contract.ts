import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HeldLock, LockRequest, LockWait, StateClient } from '../ports/state-client.ts';
import { makeLockRequest } from '../protocols/lock-request.ts';
import { waitForLock } from '../protocols/wait-for-lock.ts';

/** A backend that the contract is tried on. */
export interface BackendUnderTest {
  /** Another client of the same states, as another person on another machine has it. */
  open(): Promise<StateClient>;
  /** Closes what is open and removes what was kept. */
  dispose(): Promise<void>;
}

const AT_ONCE: LockWait = { milliseconds: 0, signal: null };

/** A small state, and its serial. */
export function stateText(serial: number | bigint, lineage: string, more = ''): Uint8Array {
  const text = `{"version":4,"terraform_version":"1.11.4","serial":${serial},"lineage":"${lineage}","outputs":{},"resources":[],"check_results":null${more}}`;
  return new TextEncoder().encode(text);
}

/** What every client promises, as tests. */
export function clientContract(name: string, start: () => Promise<BackendUnderTest>): void {
  describe(`${name} keeps the client contract`, () => {
    let backend: BackendUnderTest;
    const opened: StateClient[] = [];
    const lineages: Record<string, string> = {};

    beforeAll(async () => {
      backend = await start();
    });
    afterEach(async () => {
      for (const client of opened.splice(0)) await client.close();
    });
    afterAll(async () => {
      await backend.dispose();
    });

    const open = async (): Promise<StateClient> => {
      const client = await backend.open();
      opened.push(client);
      return client;
    };
    const request = (operation = 'contract'): LockRequest => makeLockRequest(operation, '0.0.0');
    const take = async (client: StateClient, workspace: string): Promise<HeldLock> => {
      const attempt = await client.lock(workspace, request(), AT_ONCE);
      if (attempt.type !== 'locked') throw new Error(`${workspace} is not free: ${attempt.message}`);
      return attempt.lock;
    };
    /** A workspace that no test has used; `default` where there is no other. */
    const freshWorkspace = async (client: StateClient): Promise<string> => {
      if (client.traits.workspaces === 'default-only') return 'default';
      const workspace = `w-${randomUUID().slice(0, 8)}`;
      await client.createWorkspace(workspace, request('init'));
      return workspace;
    };
    let serial = 10;
    const nextState = (workspace: string, more = ''): Uint8Array => {
      lineages[workspace] ??= randomUUID();
      serial += 1;
      return stateText(serial, lineages[workspace], more);
    };
    /** Empties what a workspace's making may have put there, so that the first write may have a lineage of its own. */
    const emptied = async (client: StateClient): Promise<string> => {
      const workspace = await freshWorkspace(client);
      const there = await client.read(workspace);
      if (there !== null && workspace !== 'default') {
        lineages[workspace] = String(
          (JSON.parse(new TextDecoder().decode(there)) as { lineage: string }).lineage,
        );
      }
      return workspace;
    };

    it('gives back the very bytes that were written', async () => {
      const client = await open();
      const workspace = await emptied(client);
      const odd = ',"odd":[1.0,1e400,12345678901234567890123,"\\u003c\\u2028é😀"]';
      for (const more of ['', odd, `,"big":"${'x'.repeat(200_000)}"`, ',"end":1']) {
        const bytes = nextState(workspace, more);
        const lock = await take(client, workspace);
        await client.write(workspace, bytes, lock);
        expect(Buffer.from((await client.read(workspace)) ?? []).equals(bytes)).toBe(true);
        expect((await lock.release()).type).toBe('released');
        const other = await open();
        expect(Buffer.from((await other.read(workspace)) ?? []).equals(bytes)).toBe(true);
      }
    });

    it('writes without a lock where nobody holds one', async () => {
      const client = await open();
      const workspace = await emptied(client);
      const bytes = nextState(workspace);
      await client.write(workspace, bytes, null);
      expect(Buffer.from((await client.read(workspace)) ?? []).equals(bytes)).toBe(true);
    });

    it('gives the lock to one, and names the holder to the other', async () => {
      const [a, b] = [await open(), await open()];
      const workspace = await freshWorkspace(a);
      expect(['free', 'unknown']).toContain((await b.inspectLock(workspace)).type);
      const lock = await take(a, workspace);
      const refused = await b.lock(workspace, request(), AT_ONCE);
      expect(refused.type).toBe('held');
      if (refused.type === 'held' && b.traits.showsHolder) {
        expect(refused.holder).toMatchObject({ id: lock.id, operation: 'contract', who: lock.info.who });
      }
      const seen = await b.inspectLock(workspace);
      expect(['held', 'unknown']).toContain(seen.type);
      if (seen.type === 'held' && b.traits.showsHolder) expect(seen.holder?.id).toBe(lock.id);
      expect(await lock.release()).toEqual({ type: 'released' });
      expect(['free', 'unknown']).toContain((await b.inspectLock(workspace)).type);
      const mine = await take(b, workspace);
      expect(await mine.release()).toEqual({ type: 'released' });
    });

    it('keeps two workspaces apart', async () => {
      const [a, b] = [await open(), await open()];
      if (a.traits.workspaces === 'default-only') return;
      const [one, two] = [await freshWorkspace(a), await freshWorkspace(a)];
      const [first, second] = [await take(a, one), await take(b, two)];
      expect((await b.lock(one, request(), AT_ONCE)).type).toBe('held');
      await first.release();
      await second.release();
    });

    it('lets exactly one of many have the lock', async () => {
      const clients = await Promise.all(Array.from({ length: 5 }, open));
      const workspace = await freshWorkspace(clients[0] as StateClient);
      for (let round = 0; round < 3; round += 1) {
        const attempts = await Promise.all(
          clients.map((client) => client.lock(workspace, request(), AT_ONCE)),
        );
        const winners = attempts.filter((attempt) => attempt.type === 'locked');
        expect(winners.length).toBe(1);
        for (const winner of winners) if (winner.type === 'locked') await winner.lock.release();
      }
    });

    it('waits for the lock, with the same ID, until it is free', async () => {
      const [a, b] = [await open(), await open()];
      const workspace = await freshWorkspace(a);
      const lock = await take(a, workspace);
      const seen: string[] = [];
      setTimeout(() => void lock.release(), 300);
      const waited = await waitForLock(b, workspace, request(), {
        timeout: 20_000,
        onWait: ({ message }) => seen.push(message),
      });
      expect(waited.type).toBe('locked');
      expect(seen.length).toBeGreaterThan(0);
      if (waited.type === 'locked') await waited.lock.release();
    });

    it('gives up when the time is over, and stops when it is told to', async () => {
      const [a, b] = [await open(), await open()];
      const workspace = await freshWorkspace(a);
      const lock = await take(a, workspace);
      const late = await waitForLock(b, workspace, request(), { timeout: 300 });
      expect(late.type).toBe('held');
      const stop = new AbortController();
      const waiting = waitForLock(b, workspace, request(), { timeout: 60_000, signal: stop.signal });
      setTimeout(() => stop.abort(), 100);
      await expect(waiting).rejects.toThrow();
      expect(await lock.release()).toEqual({ type: 'released' });
      const told = new AbortController();
      const taking = waitForLock(b, workspace, request(), { timeout: 0, signal: told.signal });
      told.abort();
      await expect(taking).rejects.toThrow();
      await (await take(a, workspace)).release();
    });

    it('breaks a lock by its ID, and says so to who held it', async () => {
      const [a, b] = [await open(), await open()];
      if (a.traits.locks !== 'stored') return;
      const workspace = await freshWorkspace(a);
      expect((await b.breakLock(workspace, randomUUID())).type).toBe('not-locked');
      const lock = await take(a, workspace);
      const wrong = await b.breakLock(workspace, randomUUID());
      expect(wrong.type).toBe('other-id');
      expect((await b.breakLock(workspace, lock.id)).type).toBe('broken');
      // A house takes the late release for a repeated one, which is harmless to it.
      expect((await lock.release()).type).toBe(a.traits.parks ? 'released' : 'lost');
      await (await take(b, workspace)).release();
    });

    it('lists workspaces, makes them, and deletes them with their states', async () => {
      const [a, b] = [await open(), await open()];
      if (a.traits.workspaces !== 'listed') return;
      const workspace = await freshWorkspace(a);
      expect(await b.workspaces()).toContain(workspace);
      if (b.traits.hasDefault) expect((await b.workspaces())?.[0]).toBe('default');
      await a.createWorkspace(workspace, request('init'));
      const lock = await take(a, workspace);
      await a.deleteWorkspace(workspace, lock);
      expect(await b.workspaces()).not.toContain(workspace);
      expect(await b.read(workspace)).toBeNull();
    });

    it('finds no state where there is none', async () => {
      const client = await open();
      if (client.traits.workspaces === 'default-only') return;
      expect(await client.read(`none-${randomUUID().slice(0, 8)}`)).toBeNull();
    });
  });
}
