import type { Grant } from '../core/grant.ts';
import type { DiffShape, OutputsShape, SnapshotShape } from './shapes/content.ts';
import type {
  AuditFollowedShape,
  AuditHeadShape,
  AuditShape,
  CheckedShape,
  CredentialShape,
  InfoShape,
  NewCredentialShape,
  ProjectSettings,
  ProjectShape,
  RevokedCredentialShape,
  ReencryptionShape,
  RotationShape,
  WhoamiShape,
} from './shapes/house.ts';
import type { AgentPoolOperations } from './agent-operations.ts';
import type { DriftOperations } from './drift-operations.ts';
import type { ExploredShape, GraphShape } from './shapes/explore.ts';
import type { RunTriggerOperations } from './run-trigger-operations.ts';
import type { FreezeShape } from './shapes/freeze.ts';
import type { BlockShape, HouseShape, RightsShape, VersionChangesShape } from './shapes/look.ts';
import type { LockShape, PastHoldShape, ReleasedShape } from './shapes/lock.ts';
import type { NumbersShape } from './shapes/numbers.ts';
import type { Page } from './shapes/page.ts';
import type {
  NewWebhookShape,
  WebhookShape,
  WebhookTestShape,
  WebhookWantedShape,
} from './shapes/webhook.ts';
import type { SessionShape, SignedOutShape } from './shapes/session.ts';
import type { RunActionName, RunAgainShape, RunLogShape, RunShape } from './shapes/run.ts';
import type { RefusedWriteShape } from './shapes/refused.ts';
import type { AnnouncedShape, StateShape, VersionShape } from './shapes/state.ts';

/** All routes are under it. */
export const API_PREFIX = '/api/v1';
/** The one path that needs no credential: it says nothing of this house. */
export const OPENAPI_PATH = '/api/openapi.json';
/** The most items on one page of a list. */
export const PAGE_MAX = 500;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Under {@link API_PREFIX}; one part may be named: `/credentials/:id`. */
  readonly path: string;
  /** The answer is a page, and this member of it has the items. */
  readonly items?: string;
  /** The answer comes when long work is done, or never ends. */
  readonly long?: true;
}

/** Where each operation is asked for. The server routes by this table, and every client asks by it. */
export const OPERATIONS: { readonly [Name in OperationName]: RouteOf<Name> } = {
  'list-states': { method: 'GET', path: '/states', items: 'states' },
  'show-state': { method: 'GET', path: '/state' },
  'delete-state': { method: 'DELETE', path: '/state' },
  'announce-state': { method: 'POST', path: '/state/announce' },
  'undelete-state': { method: 'POST', path: '/state/undelete' },
  'purge-state': { method: 'POST', path: '/state/purge' },
  'restore-version': { method: 'POST', path: '/state/restore' },
  'list-versions': { method: 'GET', path: '/state/versions', items: 'versions' },
  'list-changes': { method: 'GET', path: '/state/changes' },
  'list-blocks': { method: 'GET', path: '/state/blocks' },
  'show-version': { method: 'GET', path: '/state/version' },
  'download-version': { method: 'GET', path: '/state/content' },
  'show-snapshot': { method: 'GET', path: '/state/snapshot' },
  'show-outputs': { method: 'GET', path: '/state/outputs' },
  'diff-versions': { method: 'GET', path: '/state/diff' },
  'list-refused': { method: 'GET', path: '/refused' },
  'download-refused': { method: 'GET', path: '/refused/content' },
  'drop-refused': { method: 'DELETE', path: '/refused' },
  'list-locks': { method: 'GET', path: '/locks', items: 'locks' },
  'show-lock': { method: 'GET', path: '/state/lock' },
  'list-holds': { method: 'GET', path: '/state/holds' },
  'force-unlock': { method: 'POST', path: '/state/force-unlock' },
  'list-freezes': { method: 'GET', path: '/freezes' },
  freeze: { method: 'POST', path: '/freezes' },
  unfreeze: { method: 'DELETE', path: '/freezes' },
  explore: { method: 'GET', path: '/explore', items: 'states' },
  'export-explored': { method: 'GET', path: '/explore/csv', long: true },
  'show-graph': { method: 'GET', path: '/graph' },
  'show-numbers': { method: 'GET', path: '/numbers' },
  reindex: { method: 'POST', path: '/reindex' },
  'list-runs': { method: 'GET', path: '/runs' },
  'run-again': { method: 'POST', path: '/runs' },
  'show-run': { method: 'GET', path: '/runs/:id' },
  'act-on-run': { method: 'POST', path: '/runs/:id' },
  'show-run-log': { method: 'GET', path: '/run-log' },
  'list-drift': { method: 'GET', path: '/drift', items: 'states' },
  'show-drift': { method: 'GET', path: '/state/drift' },
  'schedule-drift': { method: 'POST', path: '/state/drift' },
  'check-drift': { method: 'POST', path: '/state/drift-check' },
  'list-run-triggers': { method: 'GET', path: '/run-triggers' },
  'create-run-trigger': { method: 'POST', path: '/run-triggers' },
  'remove-run-trigger': { method: 'DELETE', path: '/run-triggers/:id' },
  'list-agent-pools': { method: 'GET', path: '/agent-pools' },
  'create-agent-pool': { method: 'POST', path: '/agent-pools' },
  'show-agent-pool': { method: 'GET', path: '/agent-pools/:id' },
  'remove-agent-pool': { method: 'DELETE', path: '/agent-pools/:id' },
  'create-agent-token': { method: 'POST', path: '/agent-tokens' },
  'revoke-agent-token': { method: 'DELETE', path: '/agent-tokens/:id' },
  'show-execution': { method: 'GET', path: '/execution' },
  'set-execution': { method: 'POST', path: '/execution' },
  events: { method: 'GET', path: '/events', long: true },
  'list-projects': { method: 'GET', path: '/projects' },
  'show-project': { method: 'GET', path: '/projects/:project' },
  'set-project': { method: 'PATCH', path: '/projects/:project' },
  'list-credentials': { method: 'GET', path: '/credentials' },
  'create-credential': { method: 'POST', path: '/credentials' },
  'change-credential': { method: 'PATCH', path: '/credentials/:id' },
  'revoke-credential': { method: 'DELETE', path: '/credentials/:id' },
  'list-webhooks': { method: 'GET', path: '/webhooks' },
  'set-webhook': { method: 'POST', path: '/webhooks' },
  'test-webhook': { method: 'POST', path: '/webhooks/test' },
  'remove-webhook': { method: 'DELETE', path: '/webhooks/:name' },
  'create-session': { method: 'POST', path: '/session' },
  'show-session': { method: 'GET', path: '/session' },
  'end-session': { method: 'DELETE', path: '/session' },
  'list-rights': { method: 'GET', path: '/rights' },
  'show-house': { method: 'GET', path: '/house' },
  whoami: { method: 'GET', path: '/whoami' },
  info: { method: 'GET', path: '/info' },
  'list-audit': { method: 'GET', path: '/audit', items: 'records' },
  'follow-audit': { method: 'GET', path: '/audit/follow' },
  'show-audit-head': { method: 'GET', path: '/audit/head' },
  'rotate-key': { method: 'POST', path: '/rotate-key', long: true },
  reencrypt: { method: 'POST', path: '/rotate-key/reencrypt', long: true },
  backup: { method: 'POST', path: '/backup', long: true },
  check: { method: 'POST', path: '/check', long: true },
};

/** What is looked for in states. */
interface Exploring {
  text?: string | undefined;
  address?: string | undefined;
  type?: string | undefined;
  name?: string | undefined;
  provider?: string | undefined;
  module?: string | undefined;
  value?: string | undefined;
  terraformVersion?: string | undefined;
  writer?: string | undefined;
  project?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** What each operation takes and answers. `answer` is null where it is not JSON; `part` is the named part of its path. */
interface Operations extends AgentPoolOperations, DriftOperations, RunTriggerOperations {
  'list-states': {
    query: Matching & { deleted?: boolean | undefined; locked?: boolean | undefined } & Paged;
    body: undefined;
    answer: Page<'states', StateShape>;
  };
  'show-state': { query: OfState; body: undefined; answer: StateShape };
  'delete-state': {
    query: OfState & { lock?: string | undefined };
    body: undefined;
    answer: VersionShape;
  };
  'announce-state': { query: OfState; body: undefined; answer: AnnouncedShape };
  'undelete-state': { query: OfState; body: undefined; answer: VersionShape };
  'purge-state': {
    query: OfState & { bypassRetention?: boolean | undefined };
    body: undefined;
    answer: { readonly purged: string };
  };
  'restore-version': {
    query: OfState;
    body: { version: number; lockId?: string | undefined };
    answer: VersionShape;
  };
  'list-versions': { query: OfState & Paged; body: undefined; answer: Page<'versions', VersionShape> };
  'list-changes': {
    query: OfState & { before?: number | undefined; limit?: number | undefined };
    body: undefined;
    answer: { readonly changes: readonly VersionChangesShape[] };
  };
  'list-blocks': {
    query: OfState;
    body: undefined;
    answer: { readonly blocks: readonly BlockShape[] };
  };
  'show-version': { query: OfState & { version: number }; body: undefined; answer: VersionShape };
  'download-version': { query: OfVersion; body: undefined; answer: null };
  'show-snapshot': {
    query: OfVersion & { instance?: string | undefined };
    body: undefined;
    answer: SnapshotShape;
  };
  'show-outputs': { query: OfVersion; body: undefined; answer: OutputsShape };
  'diff-versions': {
    query: OfState & { from: number; to?: number | undefined };
    body: undefined;
    answer: DiffShape;
  };
  'list-refused': {
    query: { address?: string | undefined };
    body: undefined;
    answer: { readonly writes: readonly RefusedWriteShape[] };
  };
  'download-refused': { query: OfRefused; body: undefined; answer: null };
  'drop-refused': { query: OfRefused; body: undefined; answer: { readonly dropped: string } };
  'list-locks': { query: Matching & Paged; body: undefined; answer: Page<'locks', LockShape> };
  'show-lock': { query: OfState; body: undefined; answer: LockShape };
  'list-holds': {
    query: OfState;
    body: undefined;
    answer: { readonly holds: readonly PastHoldShape[] };
  };
  'force-unlock': { query: OfState; body: { lockId: string }; answer: ReleasedShape };
  'list-freezes': {
    query: Nothing;
    body: undefined;
    answer: { readonly freezes: readonly FreezeShape[] };
  };
  freeze: { query: Nothing; body: Omit<FreezeShape, 'by' | 'since'>; answer: FreezeShape };
  unfreeze: { query: { pattern: string }; body: undefined; answer: { readonly unfrozen: string } };
  explore: { query: Exploring & Paged; body: undefined; answer: ExploredShape };
  'export-explored': { query: Exploring; body: undefined; answer: null };
  'show-graph': {
    query: { address?: string | undefined; project?: string | undefined };
    body: undefined;
    answer: GraphShape;
  };
  'show-numbers': {
    query: { project?: string | undefined; since?: string | undefined };
    body: undefined;
    answer: NumbersShape;
  };
  reindex: { query: Nothing; body: undefined; answer: { readonly reindexing: boolean } };
  'list-runs': {
    query: OfState & { limit?: number | undefined };
    body: undefined;
    answer: { readonly runs: readonly RunShape[] };
  };
  'run-again': { query: OfState; body: RunAgainShape; answer: RunShape };
  'show-run': { part: 'id'; query: Nothing; body: undefined; answer: RunShape };
  'act-on-run': { part: 'id'; query: Nothing; body: { action: RunActionName }; answer: RunShape };
  'show-run-log': {
    query: { run: string; phase: 'plan' | 'apply'; offset?: number | undefined };
    body: undefined;
    answer: RunLogShape;
  };
  events: {
    query: { project?: string | undefined; address?: string | undefined };
    body: undefined;
    answer: null;
  };
  'list-projects': {
    query: Nothing;
    body: undefined;
    answer: { readonly projects: readonly ProjectShape[] };
  };
  'show-project': { part: 'project'; query: Nothing; body: undefined; answer: ProjectShape };
  'set-project': {
    part: 'project';
    query: Nothing;
    body: ProjectSettings;
    answer: ProjectShape;
  };
  'list-credentials': {
    query: Nothing;
    body: undefined;
    answer: { readonly credentials: readonly CredentialShape[] };
  };
  'create-credential': {
    query: Nothing;
    body: { name: string; grants: Grant[]; expiresAt?: string | null | undefined };
    answer: NewCredentialShape;
  };
  'change-credential': {
    part: 'id';
    query: Nothing;
    body: { grants?: Grant[] | undefined; expiresAt?: string | null | undefined };
    answer: CredentialShape;
  };
  'revoke-credential': {
    part: 'id';
    query: { breakLocks?: boolean | undefined };
    body: undefined;
    answer: RevokedCredentialShape;
  };
  'list-webhooks': {
    query: Nothing;
    body: undefined;
    answer: { readonly webhooks: readonly WebhookShape[] };
  };
  'set-webhook': { query: Nothing; body: WebhookWantedShape; answer: NewWebhookShape };
  'test-webhook': { query: Nothing; body: { name: string }; answer: WebhookTestShape };
  'remove-webhook': {
    part: 'name';
    query: Nothing;
    body: undefined;
    answer: { readonly removed: string };
  };
  'create-session': { query: Nothing; body: { credential: string }; answer: SessionShape };
  'show-session': { query: Nothing; body: undefined; answer: SessionShape };
  'end-session': { query: Nothing; body: undefined; answer: SignedOutShape };
  'list-rights': {
    query: OfState & { credential?: string | undefined; all?: boolean | undefined };
    body: undefined;
    answer: { readonly rights: readonly RightsShape[] };
  };
  'show-house': { query: Nothing; body: undefined; answer: HouseShape };
  whoami: { query: Nothing; body: undefined; answer: WhoamiShape };
  info: { query: Nothing; body: undefined; answer: InfoShape };
  'list-audit': { query: AuditAsked & Paged; body: undefined; answer: Page<'records', AuditShape> };
  'follow-audit': {
    query: AuditAsked & { after?: number | undefined; limit?: number | undefined };
    body: undefined;
    answer: AuditFollowedShape;
  };
  'show-audit-head': { query: Nothing; body: undefined; answer: AuditHeadShape };
  'rotate-key': { query: { reencrypt?: boolean | undefined }; body: undefined; answer: RotationShape };
  reencrypt: { query: { after?: string | undefined }; body: undefined; answer: ReencryptionShape };
  backup: { query: Nothing; body: undefined; answer: null };
  check: { query: Nothing; body: undefined; answer: CheckedShape };
}

export type OperationName = keyof Operations;
/** What an operation is asked with in the query. What is left out may be undefined. */
export type QueryOf<Name extends OperationName> = Operations[Name]['query'];
export type BodyOf<Name extends OperationName> = Operations[Name]['body'];
/** null where the answer is not JSON. */
export type AnswerOf<Name extends OperationName> = Operations[Name]['answer'];
/** The name of the named part of an operation's path; never where it has none. */
export type NamedPart<Name extends OperationName> = Operations[Name] extends {
  part: infer Part extends string;
}
  ? Part
  : never;
/** The member of an operation's answer that has the items; never where it does not answer a page. */
export type ItemsOf<Name extends OperationName> =
  AnswerOf<Name> extends { readonly next: string | null } ? ListsIn<AnswerOf<Name>> : never;

/** The members of a shape that are lists. */
type ListsIn<Shape> = {
  [Member in keyof Shape]: Shape[Member] extends readonly unknown[] ? Member : never;
}[keyof Shape];

type RouteOf<Name extends OperationName> = Route & {
  readonly path: [NamedPart<Name>] extends [never] ? `/${string}` : `/${string}/:${NamedPart<Name>}`;
} & ([ItemsOf<Name>] extends [never] ? { readonly items?: never } : { readonly items: ItemsOf<Name> });

type Nothing = Readonly<Record<string, never>>;

interface Paged {
  limit?: number | undefined;
  /** The `next` of the page before. */
  cursor?: string | undefined;
}

/** Which records of the audit log are asked for. */
interface AuditAsked {
  address?: string | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  /** With its zone: `2026-01-31T12:00:00Z`. */
  since?: string | undefined;
  until?: string | undefined;
  refused?: boolean | undefined;
}

interface OfState {
  /** `project/key` or `project/key@workspace` */
  address: string;
}

interface OfVersion extends OfState {
  /** The newest one if it is left out. */
  version?: number | undefined;
}

interface OfRefused extends OfState {
  id: string;
}

interface Matching {
  project?: string | undefined;
  /** Only keys that begin so. */
  prefix?: string | undefined;
  /** Only addresses that contain it. */
  search?: string | undefined;
}
