import { formatAddress } from '../../core/address.ts';
import {
  INDEX_COUNTED_MAX,
  INDEX_WINDOW,
  type IndexCommand,
  type IndexPage,
  type IndexQuery,
  type IndexRow,
} from '../../ports/state-index.ts';
import { fromText, toBuffer, toBytes, toText } from './columns.ts';
import type { Row, Statement } from './connection.ts';
import type { AddressChange } from './session/changes.ts';
import { Conditions, limitOf } from './session/conditions.ts';

/** Longer than any name can go on after its prefix, so no name that begins so sorts behind the two together. */
const BEHIND_ALL_NAMES = '\u{10FFFF}'.repeat(300);

/** The statements of a change to the index. */
export function indexStatements(schema: string, command: IndexCommand): Statement[] {
  if (command.type === 'put-index') return putIndex(schema, command.row, command.words);
  if (command.names !== null) return dropIndex(schema, command.names);
  return ['state_index', 'index_word'].map((table) => ({ text: `DELETE FROM ${schema}.${table}` }));
}

/** States that are purged are found no more. */
export function dropPurged(schema: string, changes: readonly AddressChange[]): Statement[] {
  const purged = changes
    .filter(({ dropped }) => dropped === 'all')
    .map(({ address }) => formatAddress(address));
  return purged.length === 0 ? [] : dropIndex(schema, purged);
}

/** The row is locked first, so that two nodes that put it at one time do it one after the other; most words stay. */
function putIndex(
  schema: string,
  { name: given, version, at, sealed }: IndexRow,
  words: readonly Uint8Array[],
): Statement[] {
  const name = toText(given);
  const now = words.map(toBuffer);
  const isNewest = `EXISTS (SELECT 1 FROM ${schema}.state_index WHERE name = $1 AND version <= $3)`;
  return [
    {
      text: `INSERT INTO ${schema}.state_index (name, version, at, words, sealed) VALUES ($1, 0, 0, '{}', '')
        ON CONFLICT (name) DO UPDATE SET name = excluded.name`,
      values: [name],
    },
    {
      text: `DELETE FROM ${schema}.index_word WHERE name = $1 AND ${isNewest} AND word IN (
        SELECT unnest(words) FROM ${schema}.state_index WHERE name = $1 EXCEPT SELECT unnest($2::bytea[]))`,
      values: [name, now, version],
    },
    {
      text: `INSERT INTO ${schema}.index_word (word, name) SELECT word, $1 FROM (
        SELECT unnest($2::bytea[]) AS word EXCEPT SELECT unnest(words) FROM ${schema}.state_index WHERE name = $1
        ) AS fresh WHERE ${isNewest} ON CONFLICT DO NOTHING`,
      values: [name, now, version],
    },
    {
      text: `UPDATE ${schema}.state_index SET version = $3, at = $4, words = $2, sealed = $5
        WHERE name = $1 AND version <= $3`,
      values: [name, now, version, at, toBuffer(sealed)],
    },
  ];
}

function dropIndex(schema: string, names: readonly string[]): Statement[] {
  const values = [names.map(toText)];
  return [
    {
      text: `DELETE FROM ${schema}.index_word AS gone USING (
        SELECT name, unnest(words) AS word FROM ${schema}.state_index WHERE name = ANY ($1::text[])
        ) AS kept WHERE gone.word = kept.word AND gone.name = kept.name`,
      values,
    },
    { text: `DELETE FROM ${schema}.state_index WHERE name = ANY ($1::text[])`, values },
  ];
}

/** How many names there are under each word, in their order; of common ones not all are counted. */
export function countWords(schema: string, words: readonly Uint8Array[]): Statement {
  return {
    text: `SELECT (SELECT count(*) FROM (
        SELECT 1 FROM ${schema}.index_word WHERE word = asked.word LIMIT ${INDEX_COUNTED_MAX}) AS under) AS count
      FROM unnest($1::bytea[]) WITH ORDINALITY AS asked (word, place) ORDER BY place`,
    values: [words.map(toBuffer)],
  };
}

/** @param counted what {@link countWords} has answered; empty to leave them in their order */
export function rarestFirst(words: readonly Uint8Array[], counted: readonly Row[]): readonly Uint8Array[] {
  if (counted.length === 0) return words;
  const counts = new Map(words.map((word, at) => [word, Number(counted[at]?.['count'])]));
  return words.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
}

/**
 * The names that are looked at are read first and alone, so that no plan of the database looks at more; how far that was comes
 * with every row, and with a row of its own where nothing is found.
 */
export function selectIndexed(
  schema: string,
  { words, prefix, after, since, before, limit, window = INDEX_WINDOW }: IndexQuery,
): Statement {
  const [first, ...others] = words;
  const asked = new Conditions();
  if (first !== undefined) asked.add('word = ?', toBuffer(first));
  if (prefix !== undefined && prefix !== '')
    asked.add('name >= ? AND name < ?', toText(prefix), toText(prefix) + BEHIND_ALL_NAMES);
  if (after !== undefined) asked.add('name > ?', toText(after));
  const looking = asked.where;
  const kept = new Conditions(asked.values);
  for (const word of others) {
    kept.add(
      `EXISTS (SELECT 1 FROM ${schema}.index_word AS other WHERE other.word = ? AND other.name = looked.name)`,
      toBuffer(word),
    );
  }
  if (since !== undefined) kept.add('kept.at >= ?', since);
  if (before !== undefined) kept.add('kept.at < ?', before);
  const isPlain = others.length === 0 && since === undefined && before === undefined;
  const most = isPlain ? Math.min(limit, window) : window;
  const table = `${schema}.${first === undefined ? 'state_index' : 'index_word'}`;
  return {
    text: `WITH looked AS MATERIALIZED (SELECT name FROM ${table} ${looking} ORDER BY name ${limitOf(most)}),
      found AS (SELECT kept.name, kept.version, kept.at FROM looked JOIN ${schema}.state_index AS kept ON kept.name = looked.name
        ${kept.where} ORDER BY looked.name ${limitOf(limit)})
      SELECT found.*, far.looked_to FROM (
        SELECT CASE WHEN count(*) = ${most} THEN max(name) END AS looked_to FROM looked) AS far
      LEFT JOIN found ON true ORDER BY found.name`,
    values: kept.values,
  };
}

/** What {@link selectIndexed} has found. */
export function toIndexPage(rows: readonly Row[], { limit }: Pick<IndexQuery, 'limit'>): IndexPage {
  const marks = rows.filter((row) => row['name'] !== null).map(toIndexMark);
  const far = rows[0]?.['looked_to'] ?? null;
  const last = marks.length < limit ? undefined : marks.at(-1)?.name;
  return { marks, lookedTo: last ?? (far === null ? null : fromText(far)) };
}

export function selectIndexRows(schema: string, names: readonly string[]): Statement {
  return {
    text: `SELECT name, version, at, sealed FROM ${schema}.state_index WHERE name = ANY ($1::text[]) ORDER BY name`,
    values: [names.map(toText)],
  };
}

function toIndexMark(row: Row): IndexPage['marks'][number] {
  return { name: fromText(row['name']), version: Number(row['version']), at: Number(row['at']) };
}

export function toIndexRow(row: Row): IndexRow {
  return { ...toIndexMark(row), sealed: toBytes(row['sealed']) };
}
