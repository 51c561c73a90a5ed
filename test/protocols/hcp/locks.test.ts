import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import type { Pair } from '../../support/test-admin.ts';
import {
  announced,
  api,
  dataOf,
  errorOf,
  makeWorkspace,
  one,
  stateText,
  store,
  uploadPath,
} from './hcp-client.ts';

const TERRAFORM = { 'terraform-version': '1.11.4' };

/** One run of terraform: its credential, and its connections. */
class Run {
  readonly #house: TestHouse;
  readonly #as: Pair;
  readonly #headers: Readonly<Record<string, string>>;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(house: TestHouse, as: Pair, headers: Readonly<Record<string, string>> = {}) {
    this.#house = house;
    this.#as = as;
    this.#headers = { ...TERRAFORM, ...headers };
  }

  act(action: string, id: string): Promise<Answer> {
    const body = action === 'lock' ? one({ reason: 'Locked by Terraform' }) : undefined;
    return api(this.#house, 'POST', `workspaces/${id}/actions/${action}`, body, this.#send);
  }

  announce(id: string, text: string): Promise<Answer> {
    return api(this.#house, 'POST', `workspaces/${id}/state-versions`, announced(text), this.#send);
  }

  upload(created: Answer, text: string): Promise<Answer> {
    return this.#house.ask('PUT', uploadPath(created), { as: null, body: text, agent: this.#agent });
  }

  /** Its connections break, and it makes others. */
  reconnect(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  get #send(): { as: Pair; headers: Readonly<Record<string, string>>; agent: Agent } {
    return { as: this.#as, headers: this.#headers, agent: this.#agent };
  }
}

describe('the lock at the hcp door', () => {
  let house: TestHouse;
  let pair: Pair;
  let other: Pair;
  let count = 0;
  beforeAll(async () => {
    house = await TestHouse.open();
    pair = await house.credential('pipeline', [{ role: 'writer', pattern: '*' }]);
    other = await house.credential('colleague', [{ role: 'operator', pattern: '*' }]);
  });
  afterAll(() => house.close());

  const workspace = (): Promise<string> => makeWorkspace(house, `locks-${++count}`);
  const holders = async (): Promise<readonly string[]> => {
    const address = { project: 'acme', key: `locks-${count}`, workspace: 'default' };
    return (await house.engine.world(address)).holders.map(({ lockId }) => lockId);
  };

  it('is refused without a body to terraform, which reads none, and in words to others', async () => {
    const id = await workspace();
    await new Run(house, pair).act('lock', id);
    const second = await new Run(house, other).act('lock', id);
    expect(second).toMatchObject({ status: 409, text: '' });
    const hand = await api(house, 'POST', `workspaces/${id}/actions/lock`, { reason: 'a look' });
    expect(hand.status).toBe(409);
    expect(errorOf(hand).title).toBe('workspace already locked');
    expect(errorOf(hand).detail).toMatch(/held by token:pipeline.*; see http:\/\/[\w.:]+\/s\//);
    const seen = dataOf(await api(house, 'GET', `workspaces/${id}`));
    expect(seen.attributes).toMatchObject({ locked: true });
    expect(seen.attributes['locked-reason']).toMatch(/held by token:pipeline/);
  });

  it('keeps a reason that is given in words, and a lock info that is given as one', async () => {
    const id = await workspace();
    await api(house, 'POST', `workspaces/${id}/actions/lock`, { reason: 'moving the database' });
    expect(dataOf(await api(house, 'GET', `workspaces/${id}`)).attributes['locked-reason']).toContain(
      'moving the database',
    );
    await api(house, 'POST', `workspaces/${id}/actions/unlock`);
    const info = {
      ID: 'own-id',
      Operation: 'statehouse-lock',
      Info: 'x',
      Who: 'a@b',
      Version: '1',
      Created: '2026-01-01T00:00:00Z',
      Path: '',
    };
    await api(house, 'POST', `workspaces/${id}/actions/lock`, one({ reason: JSON.stringify(info) }));
    expect(await holders()).toEqual(['own-id']);
    expect(dataOf(await api(house, 'GET', `workspaces/${id}`)).attributes['lock-info']).toBe(
      JSON.stringify(info),
    );
  });

  it('of one run is not ended or written under by another run of the same credential', async () => {
    const id = await workspace();
    const [first, second] = [new Run(house, pair), new Run(house, pair)];
    await first.act('lock', id);
    expect(
      (
        await api(
          house,
          'POST',
          `workspaces/${id}/actions/force-unlock`,
          one({ 'lock-id': (await holders())[0] }),
          { as: other },
        )
      ).status,
    ).toBe(200);
    await second.act('lock', id);
    // The first one has lost its lock, and does not know it.
    const late = await first.announce(id, stateText(1));
    expect(late.status).toBe(422);
    expect(errorOf(late).detail).toContain('no longer held');
    await first.act('unlock', id);
    expect(await holders()).toHaveLength(1);
    const made = await second.announce(id, stateText(1));
    expect((await second.upload(made, stateText(1))).status).toBe(200);
    expect((await second.act('unlock', id)).status).toBe(200);
    expect(await holders()).toEqual([]);
  });

  it("is the credential's where a proxy mixes the connections", async () => {
    const id = await workspace();
    const proxied = { 'x-forwarded-for': '192.0.2.7' };
    const [first, second] = [new Run(house, pair, proxied), new Run(house, pair, proxied)];
    await first.act('lock', id);
    expect((await second.act('unlock', id)).status).toBe(200);
    await second.act('lock', id);
    // The first one's connection may now be that of anybody.
    expect((await first.act('unlock', id)).status).toBe(200);
    expect(await holders()).toEqual([]);
  });

  it('is released by a run whose connections have changed, and again without harm', async () => {
    const id = await workspace();
    const run = new Run(house, pair);
    await run.act('lock', id);
    run.reconnect();
    expect((await run.act('unlock', id)).status).toBe(200);
    run.reconnect();
    expect((await run.act('unlock', id)).status).toBe(200);
    expect((await new Run(house, other).act('unlock', id)).status).toBe(409);
  });

  it('is told to be broken once: a second break-in finds nothing', async () => {
    const id = await workspace();
    await new Run(house, pair).act('lock', id);
    const [named] = await holders();
    const breakIn = (lockId: string | undefined) =>
      api(house, 'POST', `workspaces/${id}/actions/force-unlock`, one({ 'lock-id': lockId }), { as: other });
    expect((await breakIn(named)).status).toBe(200);
    const second = await breakIn(named);
    expect(second.status).toBe(409);
    expect(errorOf(second).title).toBe('workspace already unlocked');
  });

  it('is the one that a client names, whatever its connection held before', async () => {
    const id = await workspace();
    const run = new Run(house, pair);
    await run.act('lock', id);
    const [named] = await holders();
    const unlock = (lockId: string | undefined) =>
      api(house, 'POST', `workspaces/${id}/actions/unlock`, one({ 'lock-id': lockId }), { as: pair });
    expect((await unlock('another')).status).toBe(403);
    expect(await holders()).toEqual([named]);
    const written = (lockId: string | null) =>
      api(house, 'POST', `workspaces/${id}/state-versions`, announced(stateText(1), { 'lock-id': lockId }), {
        as: pair,
      });
    expect((await written(null)).status).toBe(422);
    expect((await written('another')).status).toBe(422);
    expect((await unlock(named)).status).toBe(200);
    expect(await holders()).toEqual([]);
  });

  it('is released when the state that was announced has come, and not before', async () => {
    const id = await workspace();
    const run = new Run(house, pair);
    await run.act('lock', id);
    const created = await run.announce(id, stateText(1));
    const early = await run.act('unlock', id);
    expect(early.status).toBe(422);
    expect(errorOf(early).title).toContain('latest state version is still pending');
    expect((await run.upload(created, stateText(1))).status).toBe(200);
    expect((await run.act('unlock', id)).status).toBe(200);
  });

  it("is not another's to release, and not to be broken while it is young and not named", async () => {
    const id = await workspace();
    await new Run(house, pair).act('lock', id);
    const released = await new Run(house, other).act('unlock', id);
    expect(released.status).toBe(403);
    expect(errorOf(released).detail).toMatch(/held by token:pipeline/);
    const broken = await new Run(house, other).act('force-unlock', id);
    expect(broken.status).toBe(422);
    expect(errorOf(broken).detail).toContain('statehouse force-unlock');
    expect((await new Run(house, pair).act('force-unlock', id)).status).toBe(403);
    expect(await holders()).toHaveLength(1);
  });

  it('is told to be frozen in words that terraform shows', async () => {
    const id = await workspace();
    await store(house, id, stateText(1));
    const admin = {
      identity: { subject: 'token:test-admin', grants: [{ role: 'admin', pattern: '*' }] },
      door: 'test',
    } as const;
    await house.house.freezes.set(admin, {
      pattern: `acme/locks-${count}`,
      reason: 'release week',
      until: Date.now() + 60_000,
    });
    const refused = await new Run(house, pair).act('lock', id);
    expect(refused.status).toBe(423);
    expect(errorOf(refused).detail).toContain('release week');
  });

  it.each([
    ['a workspace that is not there', 404, 'ws-YWNtZS9ub25l', one({ reason: 'x' })],
    ['an ID that is none', 404, 'ws-!', one({ reason: 'x' })],
    ['a reason that is no text', 422, null, one({ reason: 7 })],
    ['a reason that is too long', 422, null, one({ reason: 'x'.repeat(20_000) })],
  ])('is not asked for with %s', async (_, status, named, body) => {
    const id = named ?? (await workspace());
    expect((await api(house, 'POST', `workspaces/${id}/actions/lock`, body)).status).toBe(status);
  });

  it('is taken back from a client that leaves before it hears of it', async () => {
    const id = await workspace();
    const holder = new Run(house, other);
    await holder.act('lock', id);
    const waiter = new Run(house, pair);
    expect((await waiter.act('lock', id)).status).toBe(409);
    const waiting = waiter.act('lock', id).catch(() => null);
    await house.untilParked(1);
    waiter.reconnect();
    await waiting;
    await house.untilParked(0);
    await holder.act('unlock', id);
    expect(await holders()).toEqual([]);
  });
});
