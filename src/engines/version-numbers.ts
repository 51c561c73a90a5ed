import type { Effect } from '../core/effect.ts';

/**
 * Which versions of an address are kept, as text: ranges of numbers, ascending, such as `1-3,7`. Versions go from the oldest
 * on, so that there is seldom more than one range.
 */
export type VersionNumbers = string;

type Range = readonly [first: number, last: number];

export const NO_VERSIONS: VersionNumbers = '';

function withVersion(numbers: VersionNumbers, number: number): VersionNumbers {
  return format([...parse(numbers), [number, number]]);
}

function withoutVersions(numbers: VersionNumbers, gone: readonly number[]): VersionNumbers {
  let ranges = parse(numbers);
  for (const number of gone) ranges = ranges.flatMap((range) => without(range, number));
  return format(ranges);
}

/** These numbers, in whatever order. */
export function versionRanges(numbers: readonly number[]): VersionNumbers {
  return format(numbers.map((number) => [number, number]));
}

/** Those that are kept once an effect is stored. */
export function keptAfter(numbers: VersionNumbers, effect: Effect): VersionNumbers {
  switch (effect.type) {
    case 'put-version':
      return withVersion(numbers, effect.version.number);
    case 'drop-versions':
      return withoutVersions(numbers, effect.numbers);
    case 'drop-all':
      return NO_VERSIONS;
    default:
      return numbers;
  }
}

/** Whether the record of an address, which stands for its versions, its holders and its last audit record, is another. */
export function changesRecord({ type }: Effect): boolean {
  return RECORD_CHANGES.has(type);
}

const RECORD_CHANGES: ReadonlySet<Effect['type']> = new Set([
  'put-record',
  'put-version',
  'drop-versions',
  'drop-all',
  'put-holder',
  'drop-holder',
  'audit',
]);

export function hasVersion(numbers: VersionNumbers, number: number): boolean {
  return parse(numbers).some(([first, last]) => first <= number && number <= last);
}

/** The greatest ones below a number, descending. */
export function newestVersions(numbers: VersionNumbers, before: number, limit: number): number[] {
  const found: number[] = [];
  for (const [first, last] of parse(numbers).toReversed()) {
    for (let number = Math.min(last, before - 1); number >= first && found.length < limit; number -= 1)
      found.push(number);
  }
  return found;
}

function without([first, last]: Range, number: number): Range[] {
  if (number < first || number > last) return [[first, last]];
  const left: Range[] = [
    [first, number - 1],
    [number + 1, last],
  ];
  return left.filter(([from, to]) => from <= to);
}

function parse(numbers: VersionNumbers): Range[] {
  if (numbers === '') return [];
  return numbers.split(',').map((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return [first as number, last as number];
  });
}

function format(ranges: readonly Range[]): VersionNumbers {
  const joined: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = joined.at(-1);
    if (before !== undefined && before[1] + 1 >= first) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
