import type { Side, SnapshotDiff, ValueChange } from '../../core/snapshot/diff.ts';
import { masked, printMasked, revealed } from '../../core/snapshot/masked.ts';
import type { Terminal } from '../terminal.ts';

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

/** Prints a comparison as terraform prints a plan. */
export function printDiff(terminal: Terminal, diff: SnapshotDiff, reveal: boolean): void {
  const { colors } = terminal;
  const paint = { added: colors.green, removed: colors.red, changed: colors.yellow } as const;
  const heads: readonly (readonly [string, { before: unknown; after: unknown } | null])[] = [
    ['serial', diff.serial],
    ['lineage', diff.lineage],
    ['terraform version', diff.terraformVersion],
  ];
  for (const [name, change] of heads) {
    if (change !== null)
      terminal.say(colors.dim(`${name}: ${String(change.before)} → ${String(change.after)}`));
  }
  for (const { address, kind, attributes, beside } of diff.instances) {
    terminal.say(`${paint[kind](SIGNS[kind])} ${colors.bold(address)}`);
    // What came or went as a whole is named, not listed.
    if (kind !== 'changed') continue;
    for (const change of attributes) terminal.say(`    ${changeInWords(change, reveal)}`);
    for (const name of beside) terminal.say(`    (${name})`);
  }
  for (const change of diff.outputs)
    terminal.say(`${colors.yellow('~')} output ${changeInWords(change, reveal)}`);
  for (const { before, after } of diff.checks) {
    const check = after ?? before;
    terminal.say(`~ check ${check?.address ?? ''}: ${before?.status ?? 'none'} → ${after?.status ?? 'none'}`);
  }
  if (diff.same) terminal.say('The same content.');
}

/** The comparison as JSON; secrets masked unless they are to be revealed. */
export function diffToJson(diff: SnapshotDiff, reveal: boolean): unknown {
  const side = (value: Side | null): unknown =>
    value === null ? null : reveal ? revealed(value.content) : masked(value.content);
  const change = ({ path, before, after }: ValueChange): unknown => ({
    path,
    before: side(before),
    after: side(after),
    sensitive: before?.sensitive === true || after?.sensitive === true,
  });
  return {
    ...diff,
    outputs: diff.outputs.map(change),
    instances: diff.instances.map((instance) => ({
      ...instance,
      attributes: instance.attributes.map(change),
    })),
  };
}

function changeInWords({ path, before, after }: ValueChange, reveal: boolean): string {
  const show = (value: Side | null): string =>
    value === null ? '(none)' : printMasked(value.content, reveal);
  return `${path}: ${show(before)} → ${show(after)}`;
}
