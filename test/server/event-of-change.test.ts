import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventOfChange } from '../../src/server/api/events/event.ts';
import type { ChangeRecord } from '../../src/ports/engine.ts';

const RULES = new URL('../../src/core/rules/', import.meta.url);

function change(action: string, detail: ChangeRecord['note']['detail'] = {}): ChangeRecord {
  const address = { project: 'acme', key: 'a', workspace: 'default' };
  return { id: 1, at: 0, address, note: { action, subject: 'token:a', door: 'http', detail } };
}

describe('the event of a change', () => {
  it('is there for every action that the rules note', () => {
    const noted = readdirSync(RULES).flatMap((file) => {
      const text = readFileSync(new URL(file, RULES), 'utf8');
      return [...text.matchAll(/draft\.note\(([^;]*?), \{/g)].flatMap(([, head = '']) =>
        [...head.matchAll(/(?<!=== )'([a-z-]+)'/g)].map(([, action = '']) => action),
      );
    });
    expect(noted).toEqual(
      expect.arrayContaining(['lock', 'unlock', 'write', 'restore', 'lock-ended', 'purge']),
    );
    expect(noted.filter((action) => eventOfChange(change(action)) === null)).toEqual([]);
    expect(eventOfChange(change('read'))).toBeNull();
  });

  it('tells the facts that are meant to be told, and no more of a text than a line', () => {
    const detail = { lock: 'x'.repeat(5_000), fence: 3, holder: 'token:b', since: 1 };
    expect(eventOfChange(change('force-unlock', detail))).toMatchObject({
      name: 'lock-broken',
      data: { at: '1970-01-01T00:00:00.000Z', facts: { lock: 'x'.repeat(200), fence: 3 } },
    });
    expect(Object.keys(eventOfChange(change('force-unlock', detail))?.data.facts ?? {})).toEqual([
      'lock',
      'fence',
    ]);
    expect(eventOfChange(change('lock-ended', { lock: 'a', fence: 1, since: 1 }))?.data.facts).toEqual({
      lock: 'a',
      fence: 1,
      ended: true,
    });
  });
});
