import { setImmediate as othersTurn } from 'node:timers/promises';
import type { StoredFigures } from '../../ports/engine.ts';
import type { Database } from './files/driver.ts';

/** Rows that are counted at a time, so that a request that comes meanwhile waits for some milliseconds at most. */
const ROWS_AT_ONCE = 5_000;

const STATES = `SELECT max(id) AS last, count(*) AS looked, sum(is_there) AS found FROM (
  SELECT id, head IS NOT NULL AND deleted_at IS NULL AS is_there FROM address WHERE id > ? ORDER BY id LIMIT ?)`;
const STEP_OF_VERSIONS = `SELECT address_id, number FROM version WHERE (address_id, number) > (?, ?)
  ORDER BY address_id, number LIMIT 1 OFFSET ?`;
const REST_OF_VERSIONS = 'SELECT count(*) AS found FROM version WHERE (address_id, number) > (?, ?)';

interface Counted {
  readonly last: number;
  readonly looked: number;
  /** null where nothing was looked at. */
  readonly found: number | null;
}

interface Place {
  readonly address_id: number;
  readonly number: number;
}

/** Counts what is kept, some rows at a time. */
export async function countStored(db: Database): Promise<StoredFigures> {
  const pages = db.prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size');
  const { bytes } = pages.get() as { readonly bytes: number };
  return { states: await countStates(db), versions: await countVersions(db), bytes };
}

async function countStates(db: Database): Promise<number> {
  const some = db.prepare(STATES);
  let states = 0;
  for (let last = 0; ; await othersTurn()) {
    const { found, looked, last: reached } = some.get(last, ROWS_AT_ONCE) as Counted;
    states += found ?? 0;
    if (looked < ROWS_AT_ONCE) return states;
    last = reached;
  }
}

async function countVersions(db: Database): Promise<number> {
  const step = db.prepare(STEP_OF_VERSIONS);
  const rest = db.prepare(REST_OF_VERSIONS);
  let [versions, owner, number] = [0, 0, 0];
  for (;;) {
    const next = step.get(owner, number, ROWS_AT_ONCE - 1) as Place | undefined;
    if (next === undefined) return versions + (rest.get(owner, number) as { readonly found: number }).found;
    versions += ROWS_AT_ONCE;
    ({ address_id: owner, number } = next);
    await othersTurn();
  }
}
