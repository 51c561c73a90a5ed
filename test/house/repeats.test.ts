import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditNote } from '../../src/core/effect.ts';
import { Repeats, type Deed } from '../../src/house/repeats.ts';
import { ManualClock } from '../../src/contract/manual-clock.ts';

const MINUTE = 60_000;

describe('what a client can cause without end', () => {
  let clock: ManualClock;
  let written: AuditNote[];
  let repeats: Repeats;

  beforeEach(() => {
    clock = new ManualClock();
    written = [];
    repeats = new Repeats({ clock, write: ({ note }) => void written.push(note) });
  });

  function deed(peer: string, key: string, subject = 'token:ci'): Deed {
    const address = { project: 'acme', key, workspace: 'default' };
    const note = {
      action: 'read',
      subject,
      door: 'http',
      detail: {},
      origin: { peer },
      refused: 'forbidden',
    };
    return { address, note };
  }

  it('is noted at once, and after a minute how often it came again', () => {
    for (let time = 0; time < 500; time += 1) repeats.note(deed('10.0.0.1', 'net'));
    expect(written).toHaveLength(1);
    clock.advance(MINUTE);
    expect(written).toMatchObject([{ detail: {} }, { detail: { more: 499 }, refused: 'forbidden' }]);
    repeats.note(deed('10.0.0.1', 'net'));
    expect(written).toHaveLength(3);
  });

  it('is noted without a count where it came once', () => {
    repeats.note(deed('10.0.0.1', 'net'));
    clock.advance(MINUTE);
    expect(written).toHaveLength(1);
  });

  it('fills 60 records a minute for one client, and one that counts the rest', () => {
    for (let at = 0; at < 10_000; at += 1) repeats.note(deed('10.0.0.1', `key-${at}`));
    repeats.note(deed('10.0.0.2', 'net'));
    expect(written).toHaveLength(61);
    clock.advance(MINUTE);
    expect(written.slice(61)).toEqual([
      {
        action: 'more',
        subject: 'token:ci',
        door: 'http',
        detail: { more: 9_940 },
        origin: { peer: '10.0.0.1' },
      },
    ]);
  });

  it('fills 240 records a minute for one subject, from wherever it comes', () => {
    for (let at = 0; at < 5_000; at += 1) repeats.note(deed(`10.0.${at >> 8}.${at & 255}`, 'net'));
    expect(written).toHaveLength(240);
    clock.advance(MINUTE);
    expect(written.slice(240)).toHaveLength(1_001);
    expect(written.at(-1)).toMatchObject({ subject: 'others', detail: { more: 5_000 - 240 - 1_000 } });
  });

  it('fills 1,000 records a minute for all subjects', () => {
    for (let at = 0; at < 5_000; at += 1) repeats.note(deed('10.0.0.1', 'net', `token:${at}`));
    expect(written).toHaveLength(1_000);
  });
});
