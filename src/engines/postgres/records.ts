import type { Address } from '../../core/address.ts';
import type { RecordCommand } from '../../ports/engine.ts';
import type { Resealed } from '../../ports/sealed-anew.ts';
import type { RowKeys } from '../row-keys.ts';
import type { Statement } from './connection.ts';
import { forgetObjects, insertBodies, replaceBodies } from './bodies.ts';
import { toBuffer, toText, type KeyIdOf } from './columns.ts';
import { ENTRY, HOUSE } from './rows.ts';
import { indexStatements } from './state-index.ts';
import { replaceAll } from './session/statements.ts';

/** The statements of a change to the house's own records. */
export function recordStatements(
  schema: string,
  command: RecordCommand,
  { keyIdOf, keys }: { readonly keyIdOf: KeyIdOf; readonly keys: RowKeys },
): Statement[] {
  switch (command.type) {
    case 'put-entry':
      return putEntry(schema, keys, command);
    case 'drop-entry':
      return dropEntry(schema, command.kind, toText(command.name));
    case 'put-credential':
    case 'change-credential':
    case 'drop-credentials':
    case 'audit':
    case 'prune-audit':
    case 'adopt':
      // Stored with the others of their kind.
      return [];
    case 'put-index':
    case 'drop-index':
      return indexStatements(schema, command);
    case 'replace-bodies':
      return replaceBodies(schema, command.bodies);
    case 'forget-objects':
      return forgetObjects(schema, command.names);
    case 'reseal':
      return command.items.flatMap((item) => resealStatements(schema, item, keyIdOf));
  }
}

/**
 * An entry and its body. The row is locked by a statement of its own, so that the next ones see the body that another
 * node's transaction has put meanwhile, and take it away.
 */
function putEntry(
  schema: string,
  keys: RowKeys,
  { entry, body }: Extract<RecordCommand, { type: 'put-entry' }>,
): Statement[] {
  const name = toText(entry.name);
  return [
    {
      text: `INSERT INTO ${schema}.entry (kind, name, attributes) VALUES ($1, $2, '{}')
        ON CONFLICT (kind, name) DO UPDATE SET kind = excluded.kind`,
      values: [entry.kind, name],
    },
    ...dropEntryBody(schema, entry.kind, name),
    ...(body === undefined ? [] : insertBodies(schema, [body])),
    ...replaceAll(`${schema}.entry`, ['kind', 'name'], [ENTRY.row(keys, HOUSE, { bodyId: null, ...entry })]),
  ];
}

function dropEntry(schema: string, kind: string, name: string): Statement[] {
  const values = [kind, name];
  return [
    { text: `SELECT FROM ${schema}.entry WHERE kind = $1 AND name = $2 FOR UPDATE`, values },
    ...dropEntryBody(schema, kind, name),
    { text: `DELETE FROM ${schema}.entry WHERE kind = $1 AND name = $2`, values },
  ];
}

function dropEntryBody(schema: string, kind: string, name: string): Statement[] {
  const ofEntry = `(SELECT body_id FROM ${schema}.entry WHERE kind = $1 AND name = $2)`;
  return [
    { text: `DELETE FROM ${schema}.segment WHERE body_id IN ${ofEntry}`, values: [kind, name] },
    { text: `DELETE FROM ${schema}.body WHERE id IN ${ofEntry}`, values: [kind, name] },
  ];
}

/** The addresses whose rows a change to the house's records touches, so that they are locked like any other's. */
export function addressesOf(command: RecordCommand): readonly Address[] {
  if (command.type === 'adopt') return [command.address];
  if (command.type !== 'reseal') return [];
  return command.items.flatMap((item) =>
    item.kind === 'holder' || item.kind === 'place' ? [item.address] : [],
  );
}

/** Puts the new sealing in the place of the old one, if what it seals is still there; rows with a code are stored whole. */
function resealStatements(schema: string, item: Resealed, keyIdOf: KeyIdOf): Statement[] {
  switch (item.kind) {
    case 'body':
      return [
        {
          text: `UPDATE ${schema}.body SET key_id = $2, wrapped_key = $3
            WHERE id = $1 AND wrapped_key = coalesce($4, wrapped_key)`,
          values: [
            item.id,
            item.keyId,
            toBuffer(item.wrappedKey),
            item.replaces === undefined ? null : toBuffer(item.replaces),
          ],
        },
      ];
    case 'row-key':
      return [
        {
          text: `UPDATE ${schema}.house SET key_id = $1, sealed_key = $2`,
          values: [keyIdOf(item.sealed), toBuffer(item.sealed)],
        },
      ];
    case 'credential':
    case 'holder':
    case 'place':
      return [];
  }
}
