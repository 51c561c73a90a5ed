import { formatAddress } from '../../core/address.ts';
import type { IndexCommand, IndexMark, IndexQuery, IndexRow } from '../../ports/state-index.ts';
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

export function selectIndexed(
  schema: string,
  { words, prefix, after, since, before, limit }: IndexQuery,
): Statement {
  const [first, ...others] = words;
  const name = first === undefined ? 'kept.name' : 'found.name';
  const asked = new Conditions();
  if (first !== undefined) asked.add('found.word = ?', toBuffer(first));
  if (prefix !== undefined && prefix !== '')
    asked.add(`${name} >= ? AND ${name} < ?`, toText(prefix), toText(prefix) + BEHIND_ALL_NAMES);
  if (after !== undefined) asked.add(`${name} > ?`, toText(after));
  for (const word of others) {
    asked.add(
      `EXISTS (SELECT 1 FROM ${schema}.index_word AS other WHERE other.word = ? AND other.name = ${name})`,
      toBuffer(word),
    );
  }
  if (since !== undefined) asked.add('kept.at >= ?', since);
  if (before !== undefined) asked.add('kept.at < ?', before);
  const from =
    first === undefined
      ? `${schema}.state_index AS kept`
      : `${schema}.index_word AS found JOIN ${schema}.state_index AS kept ON kept.name = found.name`;
  return {
    text: `SELECT kept.name, kept.version, kept.at FROM ${from} ${asked.where} ORDER BY ${name} ${limitOf(limit)}`,
    values: asked.values,
  };
}

export function selectIndexRows(schema: string, names: readonly string[]): Statement {
  return {
    text: `SELECT name, version, at, sealed FROM ${schema}.state_index WHERE name = ANY ($1::text[]) ORDER BY name`,
    values: [names.map(toText)],
  };
}

export function toIndexMark(row: Row): IndexMark {
  return { name: fromText(row['name']), version: Number(row['version']), at: Number(row['at']) };
}

export function toIndexRow(row: Row): IndexRow {
  return { ...toIndexMark(row), sealed: toBytes(row['sealed']) };
}
