import { expect, it } from 'vitest';
import { localTime, readMoment } from '../../src/cli/moment.ts';

const NOW = Date.parse('2026-02-01T12:00:00Z');

it.each([
  ['2h', '2026-02-01T10:00:00.000Z'],
  ['7d', '2026-01-25T12:00:00.000Z'],
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T12:00:00+02:00', '2026-01-31T10:00:00.000Z'],
  ['2026-01-31T12:00', new Date(2026, 0, 31, 12).toISOString()],
])('%s is a moment', (text, moment) => {
  expect(readMoment(text, NOW)).toBe(moment);
});

it.each(['yesterday', '2026-13-01', '12:00', '', '2026-01-31 12:00'])('"%s" is none', (text) => {
  expect(() => readMoment(text, NOW)).toThrow(/invalid time .*expected how long ago/);
});

it('shows a moment by the local clock, with its zone', () => {
  const shown = localTime('2026-01-31T12:00:00.000Z');
  expect(shown).toMatch(/^2026-\d\d-\d\d \d\d:\d\d:00 [+-]\d\d:\d\d$/);
  expect(new Date(shown).toISOString()).toBe('2026-01-31T12:00:00.000Z');
});
