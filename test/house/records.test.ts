import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import type { Caller } from '../../src/house/caller.ts';
import { PROJECT_RECORDS } from '../../src/house/projects.ts';
import { defineRecords } from '../../src/house/records/define.ts';
import { PROJECT_KIND } from '../../src/house/records/kinds.ts';
import type { Records } from '../../src/house/records/records.ts';
import { BuiltHouse, callerOf } from './fixtures/built-house.ts';

interface Counted {
  readonly count: number;
  readonly more?: string | undefined;
}

const COUNTED = defineRecords<Counted>(
  PROJECT_KIND,
  z.object({ count: z.number(), more: z.string().optional() }),
);

describe('two houses on one engine', () => {
  it('that set two settings of a project at once lose none', async () => {
    await using one = await BuiltHouse.build('memory');
    await using other = await BuiltHouse.build('memory', { engine: one.engine });
    const admin: Caller = callerOf('admin', 'admin');
    await one.house.projects.set(admin, 'acme', { keepDays: 1 });
    await Promise.all([
      one.house.projects.set(admin, 'acme', { 's3-tagging': '<Tagging/>' }),
      other.house.projects.set(admin, 'acme', { 's3-policy': '{}' }),
      one.house.projects.set(admin, 'acme', { keepVersions: 5 }),
      other.house.projects.set(admin, 'acme', { keepDays: 7 }),
    ]);
    const [{ record } = { record: null }] = await one.house.projects.list();
    expect(record).toEqual({ 's3-tagging': '<Tagging/>', 's3-policy': '{}', keepVersions: 5, keepDays: 7 });
  });
});

describe('records', () => {
  let clock: ManualClock;
  let engine: MemoryEngine;
  let one: Records<Counted>;
  let other: Records<Counted>;

  beforeEach(() => {
    clock = new ManualClock();
    engine = new MemoryEngine(clock);
    one = COUNTED.of({ engine, clock });
    other = COUNTED.of({ engine, clock });
  });

  it('are the same for one owner, so that what was read is shared', () => {
    const owner = { engine, clock };
    expect(COUNTED.of(owner)).toBe(COUNTED.of(owner));
    expect(COUNTED.of(owner)).not.toBe(one);
  });

  it('are changed by many at once without a loss, and dropped where nothing is to be left', async () => {
    const add = (before: Counted | null): Counted => ({ count: (before?.count ?? 0) + 1 });
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? one : other).update(null, 'c', add)),
    );
    expect(await one.find('c')).toEqual({ count: 40 });
    expect(await one.update(null, 'c', () => null)).toBeNull();
    expect(await one.list()).toEqual([]);
  });

  it('that are left as they are cost no transaction and no line of the audit log', async () => {
    await one.put(null, 'c', { count: 1 });
    const apply = vi.spyOn(engine, 'apply');
    expect(await one.update(callerOf('admin', 'admin'), 'c', (before) => before)).toEqual({ count: 1 });
    expect(await one.update(callerOf('admin', 'admin'), 'x', (before) => before)).toBeNull();
    expect(apply).not.toHaveBeenCalled();
  });

  it('that are changed again and again by others end as busy', async () => {
    let count = 0;
    const change = other.put.bind(other);
    vi.spyOn(engine, 'entry').mockImplementation(async () => {
      await change(null, 'c', { count: ++count });
      return { kind: PROJECT_KIND, name: 'c', attributes: { count: -1 } };
    });
    await expect(one.update(null, 'c', () => ({ count: 0 }))).rejects.toMatchObject({
      name: 'EngineFault',
      busy: true,
    });
  });

  it('are as much as two seconds old, but never older than what this node changed', async () => {
    await one.put(null, 'c', { count: 1 });
    expect(await one.find('c')).toEqual({ count: 1 });
    await other.put(null, 'c', { count: 2 });
    expect(await one.find('c')).toEqual({ count: 1 });
    clock.advance(2_001);
    expect(await one.find('c')).toEqual({ count: 2 });
    await one.put(null, 'c', { count: 3 });
    expect(await one.find('c')).toEqual({ count: 3 });
  });

  it('are read once at a time, however many look', async () => {
    const entries = vi.spyOn(engine, 'entries');
    await Promise.all(Array.from({ length: 50 }, () => one.find('c')));
    expect(entries).toHaveBeenCalledTimes(1);
    clock.advance(2_001);
    await Promise.all(Array.from({ length: 50 }, () => one.find('c')));
    expect(entries).toHaveBeenCalledTimes(2);
    await Promise.all(Array.from({ length: 50 }, () => one.list()));
    expect(entries.mock.calls.length).toBeLessThanOrEqual(4);
  });

  it('that are damaged are a fault that names them and not what they hold, and take no other along', async () => {
    const store = (name: string, attributes: Readonly<Record<string, unknown>>): Promise<unknown> =>
      engine.apply([{ type: 'put-entry', entry: { kind: PROJECT_KIND, name, attributes }, note: null }]);
    await store('bad', { count: 'hunter2' });
    await store('good', { count: 1 });
    const fault = await one.find('bad').catch((error: unknown) => error);
    expect(fault).toMatchObject({ name: 'EngineFault' });
    expect(String(fault)).toMatch(/record "bad" of kind "project" is damaged.*count/);
    expect(String(fault)).not.toContain('hunter2');
    expect(await one.find('good')).toEqual({ count: 1 });
    await expect(one.list()).rejects.toThrow('"bad"');
    await one.drop(null, 'bad');
    expect(await one.list()).toHaveLength(1);
  });

  it('that their schema refuses are not stored', async () => {
    await expect(one.put(null, 'c', { count: Number.NaN })).rejects.toThrow(TypeError);
    expect(await one.find('c')).toBeNull();
  });

  it('note who changed which attributes', async () => {
    const admin = callerOf('admin', 'admin');
    await one.update(admin, 'c', () => ({ count: 1, more: 'x' }));
    await one.update(admin, 'c', () => ({ count: 1, more: 'y' }));
    await one.drop(admin, 'c');
    const notes = (await engine.audit({ limit: 9 })).map(({ note: { action, detail } }) => [action, detail]);
    expect(notes).toEqual([
      ['project-drop', { project: 'c' }],
      ['project-set', { project: 'c', attributes: 'more' }],
      ['project-set', { project: 'c', attributes: 'count more' }],
    ]);
  });

  it('of projects are read as they were stored before they had a schema', async () => {
    const attributes = { createdAt: 5, keepVersions: null, 's3-tagging': '<Tagging/>', 's3-policy': null };
    const entry = { kind: PROJECT_KIND, name: 'acme', attributes };
    await engine.apply([{ type: 'put-entry', entry, note: null }]);
    expect(await PROJECT_RECORDS.of({ engine, clock }).find('acme')).toEqual(attributes);
  });
});
