import type { EdgeShape } from '../../../../src/api/shapes/explore.ts';

/** Where a state stands in the picture, in columns from the left and rows from the top. */
export interface Spot {
  readonly address: string;
  readonly column: number;
  readonly row: number;
}

/** A picture of which states read which: who reads stands right of what is read. */
export interface Layout {
  readonly spots: readonly Spot[];
  readonly columns: number;
  readonly rows: number;
}

/** Places states by what they read: those that read nothing come first. States that read each other in a ring are placed, too. */
export function layoutOf(edges: readonly Pick<EdgeShape, 'from' | 'to'>[]): Layout {
  const reads = new Map<string, string[]>();
  for (const { from, to } of edges) {
    reads.set(from, [...(reads.get(from) ?? []), to]);
    if (!reads.has(to)) reads.set(to, []);
  }
  const columns = new Map<string, number>();
  const columnOf = (address: string, above: ReadonlySet<string>): number => {
    const known = columns.get(address);
    if (known !== undefined) return known;
    const within = new Set(above).add(address);
    const below = (reads.get(address) ?? []).filter((other) => !within.has(other));
    const column = Math.max(-1, ...below.map((other) => columnOf(other, within))) + 1;
    columns.set(address, column);
    return column;
  };
  const filled: number[] = [];
  const spots = [...reads.keys()].toSorted().map((address): Spot => {
    const column = columnOf(address, new Set());
    const row = filled[column] ?? 0;
    filled[column] = row + 1;
    return { address, column, row };
  });
  return { spots, columns: filled.length, rows: Math.max(0, ...filled.map((count) => count ?? 0)) };
}
