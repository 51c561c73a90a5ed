import { z } from 'zod';
import type { Page } from '../../../api/shapes/page.ts';
import type {
  CredentialShape,
  HeldLockShape,
  RevokedCredentialShape,
  NewCredentialShape,
  AuditFollowedShape,
  AuditHeadShape,
  AuditShape,
  CheckedShape,
  RetentionShape,
  QuotaShape,
  ProjectSettings,
  ProjectShape,
  WhoamiShape,
  InfoShape,
  RotationShape,
  ReencryptionShape,
  ProblemShape,
} from '../../../api/shapes/house.ts';
import { formatAddress } from '../../../core/address.ts';
import { ROLES, type Grant } from '../../../core/grant.ts';
import type { Instant } from '../../../core/instant.ts';
import { mapQuotas, QUOTAS, type Quotas, type Usage } from '../../../core/quota.ts';
import { RETENTION_MODES } from '../../../core/retained.ts';
import { mapLimits, RETENTION_LIMITS, type Retention } from '../../../core/retention.ts';
import type { HeldLock } from '../../../house/identity/held-locks.ts';
import type { CredentialView } from '../../../house/identity/credentials.ts';
import type { AuditRecord } from '../../../ports/engine.ts';
import { DEFAULTS, SHOWN_SETTINGS, type ShownSettings } from '../../configuration.ts';
import { count, instant, objectOf, pageOf, text } from './plain.ts';

export const GRANT: z.ZodType<Grant, Grant> = z
  .strictObject({
    role: z.enum(ROLES),
    pattern: text('`project/key@workspace`, where `*` is any text; `*` alone is every address.'),
  })
  .meta({ id: 'Grant' });

const HELD_LOCK: z.ZodType<HeldLockShape> = objectOf<HeldLockShape>({
  address: text('`project/key@workspace`'),
  lockId: text('The ID of the lock.'),
}).meta({ id: 'HeldLock' });

const CREDENTIAL_FIELDS = {
  id: text('The user name, AWS access key id and so on.'),
  name: text('Its name. Locks, versions and the audit log show it as `token:<name>`.'),
  grants: z.array(GRANT),
  createdAt: instant('When it was made.'),
  expiresAt: z.string().nullable().describe('When it stops being valid; null for never.'),
  graceUntil: z
    .string()
    .nullable()
    .describe('Until then it may still write and release what it took the lock of before it expired.'),
  revokedAt: z.string().nullable().describe('When it was revoked.'),
  locks: z.array(HELD_LOCK).describe('The locks that it holds now.'),
  lastUsed: z
    .strictObject({
      at: instant('When it was last used. Uses at other nodes are known after a minute.'),
      door: text('The door that this was at.'),
      peer: z.string().nullable().describe('The network address.'),
    })
    .nullable()
    .describe('null where it was never used.'),
};

export const CREDENTIAL: z.ZodType<CredentialShape> = objectOf<CredentialShape>(CREDENTIAL_FIELDS).meta({
  id: 'Credential',
});

export const NEW_CREDENTIAL: z.ZodType<NewCredentialShape> = objectOf<NewCredentialShape>({
  ...CREDENTIAL_FIELDS,
  secret: text('Shown in this answer only. `id.secret` is the bearer form.'),
}).meta({ id: 'NewCredential' });

export const REVOKED_CREDENTIAL: z.ZodType<RevokedCredentialShape> = objectOf<RevokedCredentialShape>({
  ...CREDENTIAL_FIELDS,
  broken: z.array(HELD_LOCK).describe('The locks that were broken with it.'),
}).meta({ id: 'RevokedCredential' });

export const CREDENTIALS: z.ZodType<{ readonly credentials: readonly CredentialShape[] }> = objectOf<{
  readonly credentials: readonly CredentialShape[];
}>({ credentials: z.array(CREDENTIAL) }).meta({ id: 'Credentials' });

const AUDIT: z.ZodType<AuditShape> = objectOf<AuditShape>({
  id: count('Grows with time.'),
  at: instant('When it was done.'),
  address: z.string().nullable().describe('null for what concerns the server as a whole.'),
  action: text('`lock`, `write`, `read`, `force-unlock` …'),
  subject: text('Who did it, as authenticated.'),
  door: text('The door that it was done through.'),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  refused: z
    .string()
    .nullable()
    .describe('What it was refused for: `forbidden`, `held` …; null if it was done.'),
  credential: z.string().nullable().describe('The id of the credential.'),
  peer: z.string().nullable().describe('The network address that the request came from.'),
  requestId: z.string().nullable().describe('The request, as its answer named it in `X-Request-Id`.'),
  userAgent: z.string().nullable().describe('The program, as it names itself.'),
  presigned: z.boolean().describe('Whether a URL was used that had been signed beforehand.'),
}).meta({ id: 'AuditRecord' });

export const AUDIT_PAGE: z.ZodType<Page<'records', AuditShape>> = pageOf('records', AUDIT).meta({
  id: 'AuditRecords',
});

export const AUDIT_FOLLOWED: z.ZodType<AuditFollowedShape> = objectOf<AuditFollowedShape>({
  records: z.array(AUDIT).describe('Oldest first.'),
  after: count('What to send as `after` to go on.'),
  pruned: z.boolean().describe('Whether records after the place that was asked for have been forgotten.'),
}).meta({ id: 'AuditFollowed' });

const RETENTION: z.ZodType<RetentionShape> = objectOf<RetentionShape>(
  mapLimits((limit) => {
    const { min, says } = RETENTION_LIMITS[limit];
    return z
      .int()
      .min(min)
      .nullable()
      .describe(`${upperFirst(says)}.`);
  }),
).meta({ id: 'Retention' });

const QUOTA: z.ZodType<QuotaShape> = objectOf<QuotaShape>(
  mapQuotas((quota) => z.int().min(1).nullable().describe(`At most so many ${QUOTAS[quota].counts}.`)),
).meta({ id: 'Quota' });

const USAGE: z.ZodType<Usage> = objectOf<Usage>({
  states: count('States, deleted ones too until they are purged.'),
  versions: count('Versions of states.'),
  bytes: count('Bytes of all versions, as their states were sent.'),
}).meta({ id: 'Usage' });

/** What may be set for a project; what is left out stays as it is. */
export const PROJECT_SETTINGS: z.ZodType<ProjectSettings, ProjectSettings> = z
  .strictObject({
    announceFirst: z
      .boolean()
      .nullable()
      .optional()
      .describe('Whether the first write of a state by a run must be announced; null for no.'),
    retainMode: z
      .enum(RETENTION_MODES)
      .nullable()
      .optional()
      .describe(
        'Whether an admin who says so may remove a version that `retainAtLeast` retains, or no one; null for `governance`.',
      ),
    ...mapLimits((limit) => {
      const { min, max, says } = RETENTION_LIMITS[limit];
      return z
        .int()
        .min(min)
        .max(max)
        .nullable()
        .optional()
        .describe(`${upperFirst(says)}; null for the default of the server.`);
    }),
    ...mapQuotas((quota) => {
      const { max, counts } = QUOTAS[quota];
      return z
        .int()
        .min(1)
        .max(max)
        .nullable()
        .optional()
        .describe(`At most so many ${counts}; null for the default of the server.`);
    }),
  })
  .meta({ id: 'ProjectSettings' });

export const PROJECT: z.ZodType<ProjectShape> = objectOf<ProjectShape>({
  project: z.string(),
  announceFirst: z.boolean().describe('Whether the first write of a state by a run must be announced.'),
  retainMode: z
    .enum(RETENTION_MODES)
    .describe('Who may remove a version that is retained: an admin who says so, or no one.'),
  set: RETENTION.describe('What was set for this project.'),
  effective: RETENTION.describe('What applies: that, or the settings that the server was started with.'),
  quota: z.object({ set: QUOTA, effective: QUOTA, used: USAGE }).describe('How much it may keep, and keeps.'),
}).meta({ id: 'Project' });

export const PROJECTS: z.ZodType<{ readonly projects: readonly ProjectShape[] }> = objectOf<{
  readonly projects: readonly ProjectShape[];
}>({ projects: z.array(PROJECT) }).meta({ id: 'Projects' });

export const WHOAMI: z.ZodType<WhoamiShape> = objectOf<WhoamiShape>({
  subject: text('As locks, versions and the audit log show it.'),
  grants: z.array(GRANT),
}).meta({ id: 'Whoami' });

const TOLD_FIELDS = Object.fromEntries(
  Object.entries(SHOWN_SETTINGS).map(([field, says]) => [
    field,
    typeof DEFAULTS[field as keyof ShownSettings] === 'boolean' ? z.boolean().describe(says) : count(says),
  ]),
) as unknown as { readonly [K in keyof ShownSettings]: z.ZodType<ShownSettings[K]> };

export const INFO: z.ZodType<InfoShape> = objectOf<InfoShape>({
  version: text('The version of Statehouse.'),
  engine: text('Where the data is kept: `sqlite`, `postgres` or `memory`.'),
  manyNodes: z.boolean().describe('Whether other nodes may serve the same states.'),
  now: instant('The time, by the clock that locks and versions are dated with.'),
  ...TOLD_FIELDS,
  retention: RETENTION.describe('How much history is kept of a project without settings of its own.'),
  backup: z.boolean().describe('Whether this server can be backed up through the API.'),
}).meta({ id: 'Info' });

export const AUDIT_HEAD: z.ZodType<AuditHeadShape> = objectOf<AuditHeadShape>({
  head: text(
    'Stands for the whole log up to now; empty while nothing is stored. `statehouse audit verify --head` takes it.',
  ),
}).meta({ id: 'AuditHead' });

export const ROTATION: z.ZodType<RotationShape> = objectOf<RotationShape>({
  keyId: text('The id of the master key that everything is encrypted under now.'),
  newKey: z
    .boolean()
    .describe(
      'Whether the server created a new key; false if the operator gives the keys, the new one first.',
    ),
  sealedAnew: count('How many data keys, secrets and lock infos were encrypted again.'),
}).meta({ id: 'Rotation' });

export const CHECKED: z.ZodType<CheckedShape> = objectOf<CheckedShape>({
  damage: z
    .string()
    .nullable()
    .describe('What is wrong with the database, and what to do; null if nothing is.'),
}).meta({ id: 'Checked' });

export const REENCRYPTION: z.ZodType<ReencryptionShape> = objectOf<ReencryptionShape>({
  keyId: text('The id of the master key that states are encrypted under now.'),
  done: count('Versions that this request encrypted again.'),
  damaged: count('Versions that could not be opened, and were left as they are.'),
  after: z.string().nullable().describe('What to send as `after` to go on; null when all is done.'),
  left: z
    .int()
    .nullable()
    .describe('How many versions are left after this request; told where `after` was left out.'),
}).meta({ id: 'Reencryption' });

export const PROBLEM: z.ZodType<ProblemShape> = z
  .looseObject({
    error: text('A fixed word for programs: `forbidden`, `absent`, `held` …'),
    message: text('What is wrong and what to do next, for people.'),
  })
  .meta({
    id: 'Problem',
    description: 'Every refusal and every fault. Some have further fields.',
  });

export function toCredentialShape(credential: CredentialView): CredentialShape {
  const { createdAt, expiresAt, graceUntil, revokedAt, locks, lastUse, ...same } = credential;
  return {
    ...same,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: toTime(expiresAt),
    graceUntil: toTime(graceUntil),
    revokedAt: toTime(revokedAt),
    locks: locks.map(toHeldLockShape),
    lastUsed: lastUse === null ? null : { ...lastUse, at: new Date(lastUse.at).toISOString() },
  };
}

export function toHeldLockShape({ address, lockId }: HeldLock): HeldLockShape {
  return { address: formatAddress(address), lockId };
}

export function toAuditShape({ id, at, address, note }: AuditRecord): AuditShape {
  const { origin = {} } = note;
  return {
    id,
    at: new Date(at).toISOString(),
    address: address === null ? null : formatAddress(address),
    action: note.action,
    subject: note.subject,
    door: note.door,
    detail: note.detail,
    refused: note.refused ?? null,
    credential: origin.credential ?? null,
    peer: origin.peer ?? null,
    requestId: origin.requestId ?? null,
    userAgent: origin.userAgent ?? null,
    presigned: origin.presigned ?? false,
  };
}

export function toRetentionShape(retention: Retention): RetentionShape {
  return mapLimits((limit) => retention[limit] ?? null);
}

export function toQuotaShape(quotas: Quotas): QuotaShape {
  return mapQuotas((quota) => quotas[quota] ?? null);
}

function upperFirst(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function toTime(at: Instant | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
