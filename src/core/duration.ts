import type { Milliseconds } from './instant.ts';
import type { Problem } from './read-value.ts';

const UNITS: Readonly<Record<string, Milliseconds>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Longer than any wait or lifetime that makes sense, and still a safe number of milliseconds. */
const DURATION_MAX: Milliseconds = 100 * 366 * 86_400_000;

/** Reads a duration as Go and terraform write it (`90s`, `1h30m`, `250ms`), and days (`30d`). */
export function readDuration(text: string): Milliseconds | Problem {
  if (text === '0') return 0;
  if (!/^(?:\d{1,15}(?:\.\d{1,9})?(?:ms|s|m|h|d))+$/.test(text)) {
    return { problem: `invalid duration "${text}": expected for example 90s, 15m, 2h` };
  }
  const parts = [...text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)];
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  if (total <= DURATION_MAX) return Math.round(total);
  return { problem: `invalid duration "${text}": expected at most a hundred years` };
}

/** The same, where a number without a unit counts seconds. */
export function readDurationOrSeconds(text: string): Milliseconds | Problem {
  return readDuration(/^\d+$/.test(text) ? `${text}s` : text);
}

/** Prints a duration for people, in its two largest units: `2h 5m`, `3d 4h`, `12s`. */
export function formatDuration(milliseconds: Milliseconds): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const steps: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = steps.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return steps
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}
