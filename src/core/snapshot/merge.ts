import { isStateHeader, readStateHeader, withSerial } from '../state-header.ts';
import { sameText, type Part, type ResourcePart, type StateParts } from './merge-parts.ts';

/** `ours` is the state that was refused, `theirs` the newest one. */
export type MergeSide = 'ours' | 'theirs';

/** What both sides changed, each in its own way; null where a side has none. */
export interface MergeConflict {
  /** `aws_instance.a[0]`, `output.ip`, or `aws_instance.a (settings)` for what a resource says beside its instances. */
  readonly name: string;
  readonly base: string | null;
  readonly ours: string | null;
  readonly theirs: string | null;
}

/** What one side changed since the state that both were made of. */
export interface MergeChange {
  readonly name: string;
  readonly kind: 'added' | 'changed' | 'removed';
  /** Who changed it; `both` where they made the same of it. */
  readonly by: MergeSide | 'both';
}

export interface StateMerge {
  readonly changes: readonly MergeChange[];
  /** What was not chosen; nothing can be written while there is some. */
  readonly conflicts: readonly MergeConflict[];
  /** Whether it says what the newest state says. */
  readonly isNewest: boolean;
  /** The merged state, with the newest serial + 1; null while there are conflicts. */
  readonly bytes: Uint8Array | null;
}

/**
 * What both sides were made of: a state, `none` where they have no common one (another lineage), or `unknown` where it is
 * lost, so that nothing tells an addition on one side from a removal on the other.
 */
export type MergeBase = StateParts | 'none' | 'unknown';

/**
 * Merges a refused state into the newest one, instance by instance and output by output. Each piece comes out as one of the
 * two sides has it, byte for byte; nothing is printed anew.
 * @param choices by the name of a conflict, which side to take
 */
export function mergeStates(
  sides: { readonly base: MergeBase; readonly ours: StateParts; readonly theirs: StateParts },
  choices: ReadonlyMap<string, MergeSide>,
): StateMerge {
  const { base, ours, theirs } = sides;
  const ledger = new Ledger(base === 'unknown', choices);
  const before = base === 'none' || base === 'unknown' ? null : base;
  const outputs = ledger.mergeAll(before?.outputs ?? EMPTY, ours.outputs, theirs.outputs);
  const resources = mergeResources(ledger, before?.resources ?? new Map<string, ResourcePart>(), {
    ours: ours.resources,
    theirs: theirs.resources,
  });
  const checks = mergeChecks(before?.checks ?? EMPTY, ours.checks, theirs.checks);
  const { changes, conflicts } = ledger;
  const edits = new Map<string, string>();
  const edit = (
    name: string,
    [open, close]: readonly [string, string],
    now: readonly string[],
    was: readonly string[],
  ): void => {
    if (now.length === was.length && now.every((text, index) => text === was[index])) return;
    edits.set(name, layOut(theirs.members.get(name)?.text ?? '', { open, close, depth: 1 }, now));
  };
  edit('outputs', ['{', '}'], outputs, textsOf(theirs.outputs));
  edit('resources', ['[', ']'], resources, textsOf(theirs.resources));
  edit('check_results', ['[', ']'], checks, textsOf(theirs.checks));
  const isNewest = edits.size === 0;
  const writer = newerWriter(before, ours, theirs);
  if (writer !== null && !isNewest) edits.set('terraform_version', writer);
  return { changes, conflicts, isNewest, bytes: conflicts.length > 0 ? null : write(theirs, edits) };
}

/** How much differs between two states: by it the state is found that a refused one was made of. */
export function differenceBetween(a: StateParts, b: StateParts): number {
  const pieces = ({ resources, outputs }: StateParts): ReadonlyMap<string, string> =>
    new Map([
      ...[...resources.values()].flatMap(({ instances }) =>
        [...instances].map(([key, { text }]) => [key, text] as const),
      ),
      ...[...outputs.values()].map(({ label, text }) => [label, text] as const),
    ]);
  const [mine, other] = [pieces(a), pieces(b)];
  return [...new Set([...mine.keys(), ...other.keys()])].filter(
    (key) => !sameText(mine.get(key) ?? null, other.get(key) ?? null),
  ).length;
}

const EMPTY: ReadonlyMap<string, Part> = new Map();

/** What is decided of each piece, as it is decided. */
class Ledger {
  readonly changes: MergeChange[] = [];
  readonly conflicts: MergeConflict[] = [];
  readonly #isBaseUnknown: boolean;
  readonly #choices: ReadonlyMap<string, MergeSide>;

  constructor(isBaseUnknown: boolean, choices: ReadonlyMap<string, MergeSide>) {
    this.#isBaseUnknown = isBaseUnknown;
    this.#choices = choices;
  }

  /** @returns which side's piece is right; theirs for now where neither is */
  pick(name: string, base: string | null, ours: string | null, theirs: string | null): MergeSide {
    if (sameText(ours, theirs)) {
      if (!this.#isBaseUnknown && !sameText(base, ours)) this.#note(name, 'both', base, ours);
      return 'theirs';
    }
    if (!this.#isBaseUnknown && sameText(base, ours)) {
      this.#note(name, 'theirs', base, theirs);
      return 'theirs';
    }
    if (!this.#isBaseUnknown && sameText(base, theirs)) {
      this.#note(name, 'ours', base, ours);
      return 'ours';
    }
    const chosen = this.#choices.get(name);
    if (chosen === undefined) this.conflicts.push({ name, base, ours, theirs });
    return chosen ?? 'theirs';
  }

  /** The texts of the merged pieces: theirs in their order, then what is only ours. */
  mergeAll(
    base: ReadonlyMap<string, Part>,
    ours: ReadonlyMap<string, Part>,
    theirs: ReadonlyMap<string, Part>,
  ): readonly string[] {
    return keysOf(theirs, ours, base).flatMap((key) => {
      const [before, mine, their] = [base.get(key), ours.get(key), theirs.get(key)];
      const { label } = their ?? mine ?? before ?? { label: key };
      const side = this.pick(label, before?.text ?? null, mine?.text ?? null, their?.text ?? null);
      const text = (side === 'ours' ? mine : their)?.text;
      return text === undefined ? [] : [text];
    });
  }

  #note(name: string, by: MergeChange['by'], base: string | null, now: string | null): void {
    const kind = base === null ? 'added' : now === null ? 'removed' : 'changed';
    this.changes.push({ name, kind, by });
  }
}

function mergeResources(
  ledger: Ledger,
  base: ReadonlyMap<string, ResourcePart>,
  { ours, theirs }: Readonly<Record<MergeSide, ReadonlyMap<string, ResourcePart>>>,
): readonly string[] {
  return keysOf(theirs, ours, base).flatMap((key) => {
    const [before, mine, their] = [base.get(key), ours.get(key), theirs.get(key)];
    const instances = ledger.mergeAll(
      before?.instances ?? EMPTY,
      mine?.instances ?? EMPTY,
      their?.instances ?? EMPTY,
    );
    const frame = pickFrame(ledger, { before, mine, their });
    if (frame === undefined) return [];
    // A resource without instances is kept only where a side has it so.
    if (instances.length === 0 && frame.instances.size > 0) return [];
    return [withInstances(frame, instances)];
  });
}

/** The resource whose text is taken around the merged instances. */
function pickFrame(
  ledger: Ledger,
  { before, mine, their }: { readonly [K in 'before' | 'mine' | 'their']: ResourcePart | undefined },
): ResourcePart | undefined {
  // Where a side has none of it, its instances say whether it was removed.
  if (mine === undefined || their === undefined) return their ?? mine;
  const name = `${their.label} (settings)`;
  const side = ledger.pick(name, before?.head ?? null, mine.head, their.head);
  return side === 'ours' ? mine : their;
}

function withInstances({ text, list, instances }: ResourcePart, now: readonly string[]): string {
  const was = textsOf(instances);
  if (now.length === was.length && now.every((piece, index) => piece === was[index])) return text;
  if (list === null) return text;
  const laidOut = layOut(text.slice(list.start, list.end), { open: '[', close: ']', depth: 3 }, now);
  return text.slice(0, list.start) + laidOut + text.slice(list.end);
}

/** Check results are made anew by every plan: where both sides have their own, the newest stands. */
function mergeChecks(
  base: ReadonlyMap<string, Part>,
  ours: ReadonlyMap<string, Part>,
  theirs: ReadonlyMap<string, Part>,
): readonly string[] {
  return keysOf(theirs, ours, base).flatMap((key) => {
    const [before, mine, their] = [base, ours, theirs].map((parts) => parts.get(key)?.text ?? null);
    const text = sameText(before ?? null, their ?? null) ? mine : their;
    return text === null || text === undefined ? [] : [text];
  });
}

/** The version of the writer of the refused state, as JSON, if it is the newer one; null to leave theirs. */
function newerWriter(base: StateParts | null, ours: StateParts, theirs: StateParts): string | null {
  const [mine, their] = [ours.header.terraformVersion, theirs.header.terraformVersion];
  if (mine === their || mine === base?.header.terraformVersion) return null;
  const numbers = (version: string): readonly number[] =>
    (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  const [a, b] = [numbers(mine), numbers(their)];
  const differs = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return differs !== undefined && (a[differs] ?? 0) > (b[differs] ?? 0) ? JSON.stringify(mine) : null;
}

/** Pieces as a list or an object, laid out as the one was that they take the place of. */
function layOut(
  was: string,
  { open, close, depth }: { readonly open: string; readonly close: string; readonly depth: number },
  pieces: readonly string[],
): string {
  if (pieces.length === 0) return `${open}${close}`;
  const inner = /^[[{](\s*)\S/.exec(was)?.[1];
  const isEmpty = inner === undefined || /^[[{]\s*[\]}]$/.test(was) || was === 'null';
  const before = isEmpty ? `\n${'  '.repeat(depth + 1)}` : inner;
  const after = isEmpty ? `\n${'  '.repeat(depth)}` : (/(\s*)[\]}]$/.exec(was)?.[1] ?? '');
  return `${open}${before}${pieces.join(`,${before}`)}${after}${close}`;
}

/** Their text with other values for some of its members, and with the next serial. */
function write({ text, members, header }: StateParts, edits: ReadonlyMap<string, string>): Uint8Array {
  let out = '';
  let at = 0;
  const there = [...members].toSorted(([, a], [, b]) => a.start - b.start);
  for (const [name, { start, end }] of there) {
    const value = edits.get(name);
    if (value === undefined) continue;
    out += text.slice(at, start) + value;
    at = end;
  }
  const close = text.lastIndexOf('}');
  const last = there.at(-1)?.[1].end ?? close;
  const missing = [...edits].filter(([name]) => !members.has(name));
  const added = missing.map(([name, value]) => `,\n  ${JSON.stringify(name)}: ${value}`).join('');
  out += text.slice(at, last) + added + text.slice(last);
  const bytes = new TextEncoder().encode(out);
  const read = readStateHeader(bytes);
  if (!isStateHeader(read)) throw new Error(`the merged state cannot be read: ${read.problem}`);
  return withSerial(bytes, read, header.serial + 1n);
}

function keysOf(...maps: readonly ReadonlyMap<string, unknown>[]): readonly string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))];
}

function textsOf(parts: ReadonlyMap<string, Part>): readonly string[] {
  return [...parts.values()].map(({ text }) => text);
}
