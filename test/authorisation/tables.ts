import { readFileSync } from 'node:fs';

/** One row of what an operation needs. */
export interface Need {
  readonly door: string;
  readonly operation: string;
  readonly of: string;
  /** null: any valid credential may. `nobody`: no one may. */
  readonly right: string | null;
  readonly on: Reach;
  readonly otherwise: 'refused' | 'left out' | 'hidden';
}

/** What a right is needed on. */
export type Reach = 'the state' | 'the project' | 'its name' | 'all of it' | 'anything' | 'the server';

/** What docs/authorisation.md says, as data. */
export interface Tables {
  readonly roles: readonly string[];
  /** The roles that have a right. */
  readonly rights: ReadonlyMap<string, ReadonlySet<string>>;
  readonly patterns: ReadonlyMap<string, ReadonlySet<Reach>>;
  readonly needs: readonly Need[];
  readonly open: readonly string[];
}

const REACHES: readonly Reach[] = [
  'the state',
  'the project',
  'its name',
  'all of it',
  'anything',
  'the server',
];

/** Reads the page. @throws Error where a table is not as it must be, with the row */
export function readTables(): Tables {
  const text = readFileSync(new URL('../../docs/authorisation.md', import.meta.url), 'utf8');
  const sections = new Map<string, readonly (readonly string[])[]>();
  for (const section of text.split(/^#+ /m)) {
    const [title = '', ...lines] = section.split('\n');
    const rows = lines.filter((line) => line.startsWith('|')).map(cellsOf);
    if (rows.length > 2) sections.set(title.trim(), [rows[0] ?? [], ...rows.slice(2)]);
  }
  const table = (title: string): { head: readonly string[]; rows: readonly (readonly string[])[] } => {
    const [head, ...rows] = sections.get(title) ?? [];
    if (head === undefined) throw new Error(`docs/authorisation.md has no table ${title}`);
    return { head, rows };
  };
  const { head, rows } = table('Roles');
  const roles = head.slice(1);
  const rights = new Map(rows.map(([right = '', ...cells]) => [right, ticked(roles, cells)]));
  const patterns = new Map(
    table('Patterns').rows.map(([pattern = '', ...cells]) => [pattern, ticked(REACHES, cells)]),
  );
  const doors = [...sections].filter(([, [first = []]]) => first[0] === 'operation').map(([door]) => door);
  const needs = doors.flatMap((door) => table(door).rows.map((cells) => readNeed(door, cells, rights)));
  return {
    roles,
    rights,
    patterns,
    needs,
    open: table('Without a credential').rows.map(([path = '']) => path),
  };
}

function readNeed(door: string, cells: readonly string[], rights: ReadonlyMap<string, unknown>): Need {
  const [operation = '', of = '', right = '', on = '', otherwise = ''] = cells;
  const row = `${door} | ${cells.join(' | ')}`;
  if (right !== '–' && right !== 'nobody' && !rights.has(right)) throw new Error(`unknown right: ${row}`);
  if (on !== '–' && !REACHES.some((reach) => reach === on)) throw new Error(`unknown reach: ${row}`);
  if (!['refused', 'left out', 'hidden'].includes(otherwise)) throw new Error(`unknown answer: ${row}`);
  return {
    door,
    operation,
    of,
    right: right === '–' ? null : right,
    on: (on === '–' ? 'anything' : on) as Reach,
    otherwise: otherwise as Need['otherwise'],
  };
}

function cellsOf(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replaceAll('`', ''));
}

function ticked<T extends string>(names: readonly T[], cells: readonly string[]): ReadonlySet<T> {
  if (cells.length !== names.length || cells.some((cell) => cell !== 'yes' && cell !== '–')) {
    throw new Error(`a cell is "yes" or "–": ${cells.join(' | ')}`);
  }
  return new Set(names.filter((_, index) => cells[index] === 'yes'));
}
