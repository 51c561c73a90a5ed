import { formatDuration } from '../core/duration.ts';

const SIZES: readonly (readonly [number, string])[] = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
];

/** How long ago that was: `2h 5m ago`. */
export function formatAgo(instant: string, now: number = Date.now()): string {
  const milliseconds = now - Date.parse(instant);
  return milliseconds < 1_000 ? 'just now' : `${formatDuration(milliseconds)} ago`;
}

/** A size for people: `1.4 MiB`. */
export function formatSize(bytes: number): string {
  const found = SIZES.find(([size]) => bytes >= size);
  return found === undefined ? `${bytes} B` : `${(bytes / found[0]).toFixed(1)} ${found[1]}`;
}
