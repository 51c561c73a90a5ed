import { wrongUse } from './failure.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Longer than any wait or lifetime that makes sense, and still a safe number of milliseconds. */
const DURATION_MAX = 100 * 366 * 86_400_000;

/** Reads a duration as Go and terraform write it (`90s`, `1h30m`, `250ms`), and days (`30d`). In milliseconds. */
export function readDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (text !== '0' && (parts.length === 0 || parts.map(([part]) => part).join('') !== text)) {
    throw wrongUse(`"${text}" is no duration`, 'Write it like 30s, 5m, 1h30m or 7d.');
  }
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  if (total > DURATION_MAX) throw wrongUse(`${text} is longer than a hundred years`);
  return Math.round(total);
}

/** Prints a duration for people, in its two largest units: `2h 5m`, `3d 4h`, `12s`. */
export function formatDuration(milliseconds: number): string {
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
