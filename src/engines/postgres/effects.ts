import { formatAddress, type Address } from '../../core/address.ts';
import { insertBodies } from './bodies.ts';
import type { Statement } from './connection.ts';
import type { KeyIdOf } from './columns.ts';
import type { AddressChange, RowChanges } from './session/changes.ts';
import { deleteAll, insertAll, replaceAll } from './session/statements.ts';

const ADDRESS = ['project', 'key', 'workspace'] as const;

/** The statements that take away what the worlds no longer have of versions and releases. They come before those that store. */
export function dropAll(schema: string, changes: readonly AddressChange[]): Statement[] {
  return changes.flatMap((change) => [...dropVersions(schema, change), ...dropReleases(schema, change)]);
}

/**
 * The statements that make the rows say what the worlds now are. Each is about all addresses at once, so that a transaction
 * of many commands costs the server hardly more statements than one of few. No two of them touch the same row.
 * @param stored bodies that are there already
 */
export function storeAll(
  schema: string,
  keyIdOf: KeyIdOf,
  changes: readonly AddressChange[],
  stored: ReadonlySet<string>,
): Statement[] {
  const bodies = changes.flatMap((change) => change.bodies).filter(({ id }) => !stored.has(id));
  return [
    ...replaceAll(
      `${schema}.address`,
      ADDRESS,
      changes.map((change) => change.record),
    ),
    ...insertBodies(schema, bodies),
    ...insertAll(
      `${schema}.version`,
      changes.flatMap((change) => change.versions),
    ),
    ...changeRows(
      `${schema}.holder`,
      'lock_id',
      changes.map((change) => change.holders(keyIdOf)),
    ),
    ...changeRows(
      `${schema}.place`,
      'waiter',
      changes.map((change) => change.line(keyIdOf)),
    ),
    ...replaceAll(
      `${schema}.release`,
      [...ADDRESS, 'lock_id'],
      changes.flatMap((change) => change.releases),
    ),
  ];
}

/** Takes versions away; seldom, so each address has a statement of its own. */
function dropVersions(schema: string, { address, dropped }: AddressChange): Statement[] {
  if (dropped.length === 0) return [];
  const { project, key, workspace } = address;
  const [which, numbers] = dropped === 'all' ? ['', []] : ['AND number = ANY ($4::bigint[])', [dropped]];
  return [
    {
      text: `
        WITH gone AS (
          DELETE FROM ${schema}.version
          WHERE project = $1 AND key = $2 AND workspace = $3 ${which}
          RETURNING body_id
        ), bodies AS (DELETE FROM ${schema}.body WHERE id IN (SELECT body_id FROM gone))
        DELETE FROM ${schema}.segment WHERE body_id IN (SELECT body_id FROM gone)`,
      values: [project, key, workspace, ...numbers],
    },
  ];
}

/** Clears away old releases; seldom, so each address has a statement of its own. */
function dropReleases(schema: string, { address, sweep }: AddressChange): Statement[] {
  if (sweep === null) return [];
  const { project, key, workspace } = address;
  return [
    {
      text: `
        DELETE FROM ${schema}.release WHERE project = $1 AND key = $2 AND workspace = $3 AND (at < $4 OR number <= $5)`,
      values: [project, key, workspace, sweep.before, sweep.upTo],
    },
  ];
}

function changeRows(table: string, idColumn: string, changes: readonly RowChanges[]): Statement[] {
  return [
    ...deleteAll(
      table,
      idColumn,
      changes.flatMap(({ gone }) => gone),
    ),
    ...replaceAll(
      table,
      [...ADDRESS, idColumn],
      changes.flatMap(({ put }) => put),
    ),
  ];
}

/** Rows of addresses that were made for commands that then changed nothing. */
export function dropUnused(schema: string, unused: readonly Address[]): Statement[] {
  if (unused.length === 0) return [];
  return [
    {
      text: `DELETE FROM ${schema}.address WHERE name = ANY ($1::text[])`,
      values: [unused.map(formatAddress)],
    },
  ];
}
