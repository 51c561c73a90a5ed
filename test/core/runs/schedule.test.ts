import { describe, expect, it } from 'vitest';
import { formatSchedule, nextDue, readSchedule, type Schedule } from '../../../src/core/runs/schedule.ts';

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 0, 31, 12);

function scheduleOf(text: string): Schedule {
  const read = readSchedule(text);
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

describe('schedules', () => {
  it.each(['every 1h', 'every 24h', 'every 720h', 'daily at 00:00', 'daily at 23:59'])(
    'are read as they are written: %s',
    (text) => {
      expect(formatSchedule(scheduleOf(text))).toBe(text);
    },
  );

  it.each([
    '',
    'every 0h',
    'every 721h',
    'every 5m',
    'every 24',
    'daily',
    'daily at 24:00',
    'daily at 3:00',
    'at 03:00',
    '* * * * *',
  ])('are nothing else: %s', (text) => {
    expect(readSchedule(text)).toMatchObject({ problem: expect.stringMatching(/expected "every 24h"/) });
  });

  it('are due once in each interval, at one place of it', () => {
    const every = scheduleOf('every 6h');
    const first = nextDue(every, 'app/net', NOON);
    expect(first - NOON).toBeGreaterThan(0);
    expect(first - NOON).toBeLessThanOrEqual(6 * HOUR);
    expect(nextDue(every, 'app/net', first)).toBe(first + 6 * HOUR);
    expect(nextDue(every, 'app/net', first - 1)).toBe(first);
  });

  it('are due each day after their time, in UTC', () => {
    const due = nextDue(scheduleOf('daily at 03:00'), 'app/net', NOON);
    const begin = Date.UTC(2026, 1, 1, 3);
    expect([due >= begin, due < begin + 600_000]).toEqual([true, true]);
    expect(nextDue(scheduleOf('daily at 03:00'), 'app/net', due)).toBe(due + 24 * HOUR);
    const soon = nextDue(scheduleOf('daily at 12:30'), 'app/net', NOON);
    expect(soon - NOON).toBeLessThan(HOUR);
  });

  it('spread ten thousand states, so that no second has many', () => {
    for (const [text, most] of [
      ['every 24h', 8],
      ['daily at 03:00', 50],
    ] as const) {
      const perSecond = new Map<number, number>();
      for (let index = 0; index < 10_000; index += 1) {
        const second = Math.floor(nextDue(scheduleOf(text), `app/team/net-${index}`, NOON) / 1_000);
        perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
      }
      expect(Math.max(...perSecond.values()), text).toBeLessThanOrEqual(most);
    }
  });
});
