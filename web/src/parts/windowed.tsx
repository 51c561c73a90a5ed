import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

/** Pixels above and below what is seen that are kept ready. */
const BEYOND = 400;

/**
 * A list of any length, of which only the rows that are seen are in the page. A row that moves is seen to move.
 * @param rows all of them, in order
 * @param keyOf names a row, whatever its place
 * @param heightOf how high a row is, in pixels
 * @param label what the list is, for screen readers
 * @param nearEnd called when the end comes into sight
 */
export function Windowed<Row>({
  rows,
  keyOf,
  heightOf,
  render,
  label,
  nearEnd,
}: {
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  heightOf: (row: Row) => number;
  render: (row: Row, index: number) => JSX.Element;
  label: string;
  nearEnd?: () => void;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ from: 0, to: 1_600 });
  const tops = useMemo(() => {
    const sums = [0];
    for (const row of rows) sums.push((sums.at(-1) ?? 0) + heightOf(row));
    return sums;
  }, [rows, heightOf]);
  const total = tops.at(-1) ?? 0;

  useLayoutEffect(() => {
    const look = (): void => {
      const top = frame.current?.getBoundingClientRect().top ?? 0;
      const from = Math.floor((-top - BEYOND) / 200) * 200;
      const to = Math.ceil((-top + innerHeight + BEYOND) / 200) * 200;
      setSeen((former) => (former.from === from && former.to === to ? former : { from, to }));
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [total]);
  useEffect(() => {
    if (seen.to >= total) nearEnd?.();
  }, [seen.to >= total, total]);

  const first = Math.max(0, placeOf(tops, seen.from) - 1);
  const last = Math.min(rows.length, placeOf(tops, seen.to) + 1);
  return (
    <div ref={frame} class="windowed" role="list" aria-label={label} style={{ height: `${total}px` }}>
      {rows.slice(first, last).map((row, at) => (
        <div
          key={keyOf(row)}
          role="listitem"
          aria-setsize={rows.length}
          aria-posinset={first + at + 1}
          style={{ transform: `translateY(${tops[first + at] ?? 0}px)`, height: `${heightOf(row)}px` }}
        >
          {render(row, first + at)}
        </div>
      ))}
    </div>
  );
}

/** The first row that begins at or below a height. */
function placeOf(tops: readonly number[], height: number): number {
  let low = 0;
  let high = tops.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle] ?? 0) < height) low = middle + 1;
    else high = middle;
  }
  return low;
}
