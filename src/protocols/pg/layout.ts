/** Where the pg backend keeps states (terraform and opentofu internal/backend/remote-state/pg). */
export const DEFAULT_SCHEMA = 'terraform_remote_state';
export const DEFAULT_TABLE = 'states';
export const DEFAULT_INDEX = 'states_by_name';
/** Shared by all schemas of a database, so that row numbers, and with them the locks, are unique in it. */
export const ID_SEQUENCE = 'public.global_states_id_seq';

/** Terraform's advisory lock on the making of workspaces: one for the whole database. */
export const CREATION_LOCK = -1n;

/** OpenTofu's from 1.10 on: one for each table, the negative of an FNV-1 hash. */
export function tofuCreationLock(schema: string, table: string): bigint {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${schema}\u0000${table}`)) {
    hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  }
  return -BigInt(hash);
}

/** A name as SQL takes it, whatever is in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
