import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

const STATE = { version: 4, terraform_version: '1.11.4', lineage: 'l', outputs: {}, resources: [] };

describe('runs whose program is played', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let out: string;
  let address: Address;
  let count = 0;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ programs: programs.path, slots: 4 });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    out = await mkdtemp(join(tmpdir(), 'statehouse-played-'));
    count += 1;
    address = { project: 'app', key: `net${count}`, workspace: 'default' };
    return () => rm(out, { recursive: true });
  });

  const configured = async (
    files: Readonly<Record<string, string>>,
    terms: { speculative?: boolean; provisional?: boolean } = {},
  ): Promise<string> => house.configuration(await slugOf({ 'main.tf': '', ...files }), { address, ...terms });
  /** A script that says that it is there, and goes on when it is told to. */
  const pausing = (name: string): string =>
    `env > ${out}/${name}.part; mv ${out}/${name}.part ${out}/${name}; while [ ! -e ${out}/go-${name} ]; do sleep 0.02; done\n`;
  const reached = async (name: string): Promise<string> => {
    await expect
      .poll(() => readFile(join(out, name), 'utf8').catch(() => null), { timeout: 30_000 })
      .not.toBe(null);
    return readFile(join(out, name), 'utf8');
  };
  const goOn = (name: string): Promise<void> => writeFile(join(out, `go-${name}`), '');
  const holders = async (): Promise<readonly string[]> => {
    const shown = await house.house.house.locks.show(ADMIN_CALLER, address);
    return shown.type === 'shown' ? shown.lock.holders.map(({ subject }) => subject) : [shown.type];
  };
  const path = (): string => `/http/app/${address.key}`;

  it('have a token that reads their state in the plan, writes it in the apply, reaches no other, and ends with the phase', async () => {
    const files = { 'plan.sh': pausing('plan'), 'apply.sh': pausing('apply') };
    const { id } = await house.run(await configured(files));
    const ask = async (method: string, target: string, token: string, serial = 1): Promise<number> => {
      const headers = { authorization: token };
      const body = method === 'GET' ? {} : { body: JSON.stringify({ ...STATE, serial }) };
      return (await house.house.ask(method, target, { headers, as: null, ...body })).status;
    };
    const other = `/http/app/other${count}`;
    await house.house.ask('POST', other, { body: JSON.stringify({ ...STATE, serial: 1 }) });
    const planning = tokenIn(await reached('plan'));
    expect(await ask('GET', path(), planning)).toBe(404);
    expect(await ask('POST', path(), planning)).toBe(403);
    expect(await ask('GET', other, planning)).toBe(403);
    await goOn('plan');
    await house.until(id, 'planned');
    expect(await ask('GET', path(), planning)).toBe(401);
    await house.runs.act(ADMIN_CALLER, id, 'confirm');
    const applying = tokenIn(await reached('apply'));
    expect(await ask('GET', path(), planning)).toBe(401);
    expect(await ask('POST', path(), applying)).toBe(200);
    expect(await ask('POST', path(), applying, 2)).toBe(200);
    expect(await ask('POST', other, applying, 2)).toBe(403);
    expect(await ask('POST', `${path()}?workspace=dev`, applying)).toBe(403);
    expect(await ask('GET', '/api/v1/credentials', applying)).toBe(403);
    await goOn('apply');
    await house.until(id, 'applied');
    expect(await ask('GET', path(), applying)).toBe(401);
    expect(await ask('POST', path(), applying, 3)).toBe(401);
    expect(await house.state(path())).toMatchObject({ serial: 2 });
  });

  it('are given nothing of the environment of the server', async () => {
    process.env['SERVERS_OWN_SECRET'] = 'not-for-runs';
    try {
      const { id } = await house.run(await configured({ 'plan.sh': pausing('plan') }));
      const env = await reached('plan');
      await goOn('plan');
      expect(env).not.toMatch(/not-for-runs|VITEST|npm_/);
      expect(env).toMatch(/^TFC_WORKSPACE_NAME=net/m);
      await house.until(id, 'planned');
      await house.runs.act(ADMIN_CALLER, id, 'discard');
    } finally {
      delete process.env['SERVERS_OWN_SECRET'];
    }
  });

  it('end although something that they left behind keeps their output open', async () => {
    const { id } = await house.run(
      await configured({ 'plan.sh': `setsid sleep 30 & echo $! > ${out}/left\n` }),
    );
    try {
      await house.until(id, 'planned');
    } finally {
      process.kill(Number(await readFile(join(out, 'left'), 'utf8')));
    }
    await house.runs.act(ADMIN_CALLER, id, 'discard');
  });

  it('hold the lock one after the other, in the order in which they came, and plans beside the line wait for nobody', async () => {
    const first = await house.run(await configured({ 'plan.sh': pausing('first') }));
    await reached('first');
    const second = await house.run(await configured({}));
    const third = await house.run(await configured({}));
    const beside = await house.run(await configured({}, { speculative: true }));
    await house.until(beside.id, 'planned_and_finished');
    expect([(await house.show(second.id)).status, (await house.show(third.id)).status]).toEqual([
      'pending',
      'pending',
    ]);
    const line = await house.runs.line(address);
    expect(line.current?.id).toBe(first.id);
    await goOn('first');
    await house.until(first.id, 'planned');
    expect(await holders()).toEqual([`run:${first.id}`]);
    await house.runs.act(ADMIN_CALLER, first.id, 'discard');
    await house.until(second.id, 'planned');
    expect((await house.show(third.id)).status).toBe('pending');
    await house.runs.act(ADMIN_CALLER, second.id, 'confirm');
    await house.until(second.id, 'applied');
    await house.until(third.id, 'planned');
    await house.runs.act(ADMIN_CALLER, third.id, 'discard');
    await expect.poll(holders).toEqual([]);
  });

  it("wait for a person's lock, and are canceled while they wait", async () => {
    const lock = {
      ID: '11111111-2222-4333-8444-555555555555',
      Operation: 'OperationTypeApply',
      Created: '2026-01-01T00:00:00Z',
    };
    await house.house.ask('LOCK', path(), { body: JSON.stringify(lock) });
    const waiting = await house.run(await configured({}));
    const canceled = await house.run(await configured({}));
    expect((await house.runs.act(ADMIN_CALLER, canceled.id, 'cancel')).type).toBe('done');
    expect((await house.show(canceled.id)).status).toBe('canceled');
    expect((await house.show(waiting.id)).status).toBe('pending');
    await house.house.ask('UNLOCK', path(), { body: JSON.stringify(lock) });
    await house.until(waiting.id, 'planned');
    await house.runs.act(ADMIN_CALLER, waiting.id, 'discard');
  });

  it('are canceled while they plan and while they apply: in order where the program hears, and the lock is free', async () => {
    const hearing = `trap 'echo stopped in order; exit 1' TERM\n${pausing('a')}`;
    const planning = await house.run(await configured({ 'plan.sh': hearing }));
    await reached('a');
    await house.runs.act(ADMIN_CALLER, planning.id, 'cancel');
    await house.until(planning.id, 'canceled');
    expect(await house.log(planning.id, 'plan')).toMatch(/stopped in order/);
    await rm(join(out, 'a'));
    const applying = await house.run(await configured({ 'apply.sh': hearing }), { autoApply: true });
    await house.until(applying.id, 'applying');
    await reached('a');
    expect(await house.runs.act(ADMIN_CALLER, applying.id, 'cancel')).toMatchObject({
      run: { status: 'applying' },
    });
    await house.until(applying.id, 'canceled');
    expect(await house.log(applying.id, 'apply')).toMatch(/stopped in order/);
    await expect.poll(holders).toEqual([]);
  });

  it('that hear nothing are ended by force, with what they started, and their token is dead at once', async () => {
    const deaf = `trap '' TERM INT\n(trap '' TERM; while :; do echo alive >> ${out}/child; sleep 0.05; done) &\n${pausing('b')}`;
    const { id } = await house.run(await configured({ 'plan.sh': deaf }));
    const token = tokenIn(await reached('b'));
    await house.runs.act(ADMIN_CALLER, id, 'cancel');
    expect(await house.runs.act(ADMIN_CALLER, id, 'force-cancel')).toMatchObject({ type: 'refused' });
    const now = await house.house.house.now();
    const later = vi.spyOn(house.house.house, 'now').mockResolvedValue(now + 10_000);
    expect(await house.runs.act(ADMIN_CALLER, id, 'force-cancel')).toMatchObject({ type: 'done' });
    later.mockRestore();
    expect((await house.show(id)).status).toBe('force_canceled');
    const answer = await house.house.ask('GET', path(), { headers: { authorization: token }, as: null });
    expect(answer.status).toBe(401);
    await expect.poll(holders).toEqual([]);
    const before = await readFile(join(out, 'child'), 'utf8');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await readFile(join(out, 'child'), 'utf8')).length - before.length).toBeLessThan(13);
  });

  it('tell in their log what init said where it fails, and end errored', async () => {
    const { id } = await house.run(await configured({ 'init.sh': 'echo no such provider; exit 1\n' }));
    await house.until(id, 'errored');
    expect(await house.log(id, 'plan')).toMatch(
      /^Terraform v1\.2\.3\non linux[^\n]*\n[^\n]*\nno such provider/,
    );
    await expect.poll(holders).toEqual([]);
  });

  it('whose apply fails are errored, and leave the lock free', async () => {
    const { id } = await house.run(await configured({ 'apply.sh': 'echo bad >&2; exit 1\n' }), {
      autoApply: true,
    });
    const run = await house.until(id, 'errored');
    expect(run).toMatchObject({ planEnd: 'finished', applyEnd: 'errored' });
    expect(await house.log(id, 'apply')).toMatch(/bad/);
    await expect.poll(holders).toEqual([]);
  });

  it('save their plan beside the line, and discard it when another run has changed the state', async () => {
    const apply = `curl -sf -X POST -u "$TF_HTTP_USERNAME:$TF_HTTP_PASSWORD" --data '${JSON.stringify({ ...STATE, serial: 1 })}' "$TF_HTTP_ADDRESS"\n`;
    const saved = await house.run(await configured({ 'apply.sh': apply }, { provisional: true }));
    const other = await house.run(await configured({ 'apply.sh': apply }, { provisional: true }));
    await house.until(saved.id, 'planned_and_saved');
    await house.until(other.id, 'planned_and_saved');
    expect(await holders()).toEqual([]);
    await house.runs.act(ADMIN_CALLER, saved.id, 'confirm');
    await house.until(saved.id, 'applied', 'errored');
    expect(await house.log(saved.id, 'apply')).not.toMatch(/error/i);
    await house.until(other.id, 'discarded');
    const late = await house.run(await configured({}, { provisional: true }));
    await house.until(late.id, 'planned_and_saved');
    await house.house.ask('POST', path(), { body: JSON.stringify({ ...STATE, serial: 2 }) });
    await house.runs.act(ADMIN_CALLER, late.id, 'confirm');
    await house.until(late.id, 'discarded');
  });

  it('answer what comes twice as they did before, and refuse what comes too late', async () => {
    const configuration = await configured({});
    const first = await house.run(configuration);
    expect((await house.run(configuration)).id).toBe(first.id);
    await house.until(first.id, 'planned');
    const types = async (
      ...actions: readonly ('confirm' | 'discard' | 'cancel')[]
    ): Promise<readonly string[]> => {
      const answers: string[] = [];
      for (const action of actions) answers.push((await house.runs.act(ADMIN_CALLER, first.id, action)).type);
      return answers;
    };
    expect(await types('discard', 'discard', 'confirm', 'cancel')).toEqual([
      'done',
      'done',
      'refused',
      'refused',
    ]);
  });

  it('have an endless log bounded, and a limit of disk', async () => {
    const { id } = await house.run(
      await configured({ 'plan.sh': 'yes "a line of some length, again and again" | head -c 20000000\n' }),
    );
    await house.until(id, 'planned');
    const log = await house.log(id, 'plan');
    expect(log.length).toBeLessThan(17 * 1_024 * 1_024);
    expect(log).toMatch(/the rest is not kept/);
    await house.runs.act(ADMIN_CALLER, id, 'discard');
  });

  it('are refused where the version is missing, the configuration is not there, or the caller may not', async () => {
    const configuration = await configured({});
    const wanted = { configuration, version: '9.9.9' };
    await expect(house.run(configuration, { version: wanted.version })).rejects.toThrow(
      /terraform 9\.9\.9 is not installed on the server: it has terraform 1\.2\.3\. Put it into the directory of --run-programs as terraform_9\.9\.9/,
    );
    await expect(house.run(configuration, { program: 'tofu' })).rejects.toThrow(/tofu is not installed/);
    await expect(house.run('cv-unknown')).rejects.toThrow(/absent/);
    const reader = {
      identity: { subject: 'token:eve', grants: [{ role: 'reader', pattern: '*' }] },
      door: 'test',
    } as const;
    await expect(house.run(configuration, {}, reader)).rejects.toThrow(/forbidden/);
    await expect(house.run(configuration, { directory: '../..' })).rejects.toThrow(/working directory/);
    await expect(house.run(configuration, { variables: [{ key: 'a', value: '1\nb = 2' }] })).rejects.toThrow(
      /one expression/,
    );
    const { id } = await house.run(configuration, { directory: 'gone' });
    await house.until(id, 'errored');
    expect(await house.log(id, 'plan')).toMatch(/no directory "gone"/);
    const stranger = {
      identity: { subject: 'token:mallory', grants: [{ role: 'writer', pattern: 'else/*' }] },
      door: 'test',
    } as const;
    expect((await house.runs.show(stranger, id)).type).toBe('forbidden');
    expect((await house.runs.act(stranger, id, 'cancel')).type).toBe('forbidden');
  });
});

function tokenIn(env: string): string {
  const user = /^TF_HTTP_USERNAME=(.*)$/m.exec(env)?.[1] ?? '';
  const password = /^TF_HTTP_PASSWORD=(.*)$/m.exec(env)?.[1] ?? '';
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
