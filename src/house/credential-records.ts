import type { Credential } from '../core/credential.ts';
import type { Instant } from '../core/instant.ts';
import { EngineFault, type AuditRecord, type Engine } from '../ports/engine.ts';

/** Records that are read at a time. */
const PAGE = 500;

type Log = Pick<Engine, 'audit' | 'auditAfter' | 'credentials'>;

/** What the audit log says of one credential: its newest record of each kind. */
interface Recorded {
  readonly created: AuditRecord | undefined;
  /** Absent where what it may do was never changed. */
  readonly changed: AuditRecord | undefined;
  readonly revoked: AuditRecord | undefined;
}

/**
 * Holds the credentials against the audit log: one that somebody with the keys of the server has put into the database, changed
 * there or taken away has no record of it.
 * @throws {EngineFault} naming the first credential of which the log does not tell
 */
export async function verifyCredentials(engine: Log): Promise<void> {
  // Read in this order, so that what a running server does meanwhile is no contradiction.
  const { position } = await engine.auditAfter(null, {}, 1);
  const credentials = await engine.credentials();
  const [oldest] = (await engine.auditAfter(0, {}, 1)).records;
  const created = await newestOf(engine, 'credential-create');
  const changed = await newestOf(engine, 'credential-change');
  const revoked = await newestOf(engine, 'credential-revoke');
  const prunings = await recordsOf(engine, 'credential-prune');
  const stored = new Map(credentials.map((credential) => [credential.id, credential]));
  for (const credential of credentials) {
    const { id } = credential;
    const recorded = { created: created.get(id), changed: changed.get(id), revoked: revoked.get(id) };
    const problem = problemOf(credential, recorded, { position, oldest: oldest?.at ?? Infinity });
    if (problem !== null) throw notRecorded(credential.id, problem);
  }
  for (const [id, record] of created) {
    if (stored.has(id) || record.id > position) continue;
    if (!mayBeForgotten(newerOf(record, changed.get(id)), revoked.get(id), prunings))
      throw notRecorded(id, 'was taken away, and the log does not say that it was forgotten');
  }
}

function problemOf(
  { grants, createdAt, revokedAt }: Credential,
  { created, changed, revoked }: Recorded,
  { position, oldest }: { readonly position: number; readonly oldest: Instant },
): string | null {
  if (created === undefined) return createdAt < oldest ? null : 'was created, and the log does not say so';
  const has = grants.map(({ role, pattern }) => `${role}:${pattern}`).join(' ');
  const last = newerOf(created, changed);
  const said = last.note.detail['grants'];
  if (said !== undefined && said !== has && last.id <= position)
    return `has the grants "${has}", and was given "${String(said)}"`;
  const isRevoked = revoked !== undefined && revoked.id > created.id;
  if (revokedAt === null) {
    return isRevoked && revoked.id <= position ? 'is valid, and the log says that it was revoked' : null;
  }
  return isRevoked || revokedAt < oldest ? null : 'was revoked, and the log does not say so';
}

/** What the log said last of what a credential may do, and until when. */
function newerOf(created: AuditRecord, changed: AuditRecord | undefined): AuditRecord {
  return changed !== undefined && changed.id > created.id ? changed : created;
}

/** Whether a credential had ended, as far as is known, before some were forgotten. */
function mayBeForgotten(
  given: AuditRecord,
  revoked: AuditRecord | undefined,
  prunings: readonly AuditRecord[],
): boolean {
  const ends = [endOf(given), revoked?.at ?? Number.NaN].filter((at) => !Number.isNaN(at));
  return prunings.some(({ at }) => ends.some((ended) => ended <= at));
}

/** When a credential was to end; not a number for never. What an earlier program created does not say it. */
function endOf(record: AuditRecord): number {
  const { expires } = record.note.detail;
  return expires === undefined ? record.at : Date.parse(String(expires));
}

/** The newest record of an action, by the id of the credential that it is about. */
async function newestOf(engine: Log, action: string): Promise<ReadonlyMap<string, AuditRecord>> {
  const newest = new Map<string, AuditRecord>();
  for (const record of await recordsOf(engine, action)) {
    const { id } = record.note.detail;
    if (typeof id === 'string' && !newest.has(id)) newest.set(id, record);
  }
  return newest;
}

/** What was done of an action, and not refused, newest first. */
async function recordsOf(engine: Log, action: string): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let before: number | undefined; ;) {
    const query = { action, limit: PAGE, ...(before === undefined ? {} : { before }) };
    const page = await engine.audit(query);
    records.push(...page.filter(({ note }) => note.refused === undefined));
    before = page.at(-1)?.id;
    if (before === undefined || page.length < PAGE) return records;
  }
}

function notRecorded(id: string, problem: string): EngineFault {
  return new EngineFault(
    `the credential ${id} ${problem}: the database was changed with the key of its rows, and not through a server. ` +
      'Revoke it, change the master key and the credentials, and read the audit log for what it did',
  );
}
