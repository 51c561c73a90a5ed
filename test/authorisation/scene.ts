import type { Address } from '../../src/core/address.ts';
import type { Grant } from '../../src/core/grant.ts';
import type { Caller } from '../../src/house/caller.ts';
import type { Freeze } from '../../src/house/freezes.ts';
import {
  DYNAMODB_TABLE_KIND,
  FREEZE_KIND,
  INDEX_KIND,
  LAST_USE_KIND,
  NUMBERS_KIND,
  PROJECT_KIND,
  SEEN_READ_KIND,
} from '../../src/house/records/kinds.ts';
import { askSigned, dynamoAsk } from '../support/ask-signed.ts';
import { ADMIN_CALLER, type TestHouse } from '../support/open-test-house.ts';
import type { Answer } from '../support/request.ts';
import type { Pair } from '../support/test-admin.ts';
import { sampleLock } from '../support/sample-state.ts';
import type { Asker } from './callers.ts';

/** The state that every row is about. */
export const STATE: Address = { project: 'acme', key: 'net/app', workspace: 'dev' };
/** As S3 names it. */
export const OBJECT = 'env:/dev/net/app';
/** As DynamoDB names it. */
export const LOCK_ID: string = `acme/${OBJECT}`;
export const TABLE = 'locks';
/** A sensitive value in it. */
export const SECRET = 'hunter2hunter2';
/** A project that is there without a state. */
export const EMPTY_PROJECT = 'acme';

/** The house around one row of the page, as one asker finds it. */
export interface Scene {
  readonly house: TestHouse;
  readonly asker: Asker;
  /** The asker's subject with every right: what it had when it took its lock. */
  readonly owner: Caller;
  /** What it asks with: its own credential, or one with a further grant. */
  pair: Pair | null;
  /** The ID of the lock that is held, where one is. */
  lockId: string;
  /** The ID of the upload that is open, where one is. */
  uploadId: string;
  /** The IDs of the agent pool that there is, and of its token. */
  poolId: string;
  tokenId: string;
  /** The ID of the agent that there is, where one is. */
  agentId: string;
  /** The ID of the refused write that is kept, where one is. */
  refusedId: string;
  /** How long to wait for what should come, in milliseconds. */
  readonly patience: number;
}

/** How a row is tried. */
export interface Trial {
  /** Sets the scene in a house that keeps nothing. */
  readonly prepare: readonly ((scene: Scene) => Promise<unknown>)[];
  readonly ask: (scene: Scene) => Promise<Answer>;
  /** What shows that it was done: something is kept that was not before, or the answer has this text, or just its status. */
  /** The scene is another for each asker. */
  readonly perAsker?: true;
  readonly proof:
    | 'changed'
    | { readonly text: string | ((scene: Scene) => string) }
    | { readonly status: number };
}

/** The state, as two versions with a sensitive output. */
export async function state({ house }: Scene): Promise<void> {
  for (const serial of [1, 2]) await put(house, stateText(serial));
}

export async function put(house: TestHouse, text: string, address: Address = STATE): Promise<void> {
  const claim = { kind: 'none' } as const;
  const body = [Buffer.from(text)];
  const terms = { claim, contentLength: text.length };
  const stored = await house.house.states.write(ADMIN_CALLER, address, streamOf(body), terms);
  if (stored.type !== 'stored') throw new Error(`not stored: ${stored.type}`);
}

/** The state, deleted. */
export async function deleted(scene: Scene): Promise<void> {
  await state(scene);
  await scene.house.house.states.delete(ADMIN_CALLER, STATE, { kind: 'none' });
}

export function stateText(serial: number): string {
  const outputs = { said: { value: SECRET, type: 'string', sensitive: true } };
  return `${JSON.stringify({ version: 4, terraform_version: '1.11.4', serial, lineage: 'l', outputs, resources: [] })}\n`;
}

/** The lock, held by the asker itself. */
export function ownLock(alias: string): (scene: Scene) => Promise<void> {
  return async (scene) => hold(scene, scene.asker.kind === 'expired' ? ADMIN_CALLER : scene.owner, alias);
}

/** The lock, held by the admin. */
export function otherLock(alias: string): (scene: Scene) => Promise<void> {
  return (scene) => hold(scene, ADMIN_CALLER, alias);
}

let locks = 0;

async function hold(scene: Scene, holder: Caller, alias: string): Promise<void> {
  scene.lockId = `lock-${(locks += 1)}`;
  const granted = await scene.house.house.locks.lock(holder, STATE, {
    lockId: scene.lockId,
    operation: 'OperationTypeApply',
    info: Buffer.from(sampleLock(scene.lockId)),
    tellsHoldersApart: alias === 'http',
    alias,
    wait: null,
    gone: null,
  });
  if (granted.type !== 'granted') throw new Error(`not granted: ${granted.type}`);
}

/** The name of a lock that nobody has had yet. */
export function newLockId(): string {
  return `lock-${(locks += 1)}`;
}

/** A project that was made, in which there is nothing. */
export async function emptyProject({ house }: Scene): Promise<void> {
  await house.house.projects.make(ADMIN_CALLER, EMPTY_PROJECT);
}

/** A project that the asker has made. */
export async function ownProject({ house, owner }: Scene): Promise<void> {
  await house.house.projects.make(owner, EMPTY_PROJECT);
}

/** Settings of the project. */
export async function projectSettings({ house }: Scene): Promise<void> {
  await house.house.projects.set(ADMIN_CALLER, EMPTY_PROJECT, {
    's3-tagging': '<Tagging/>',
    keepVersions: 7,
  });
}

/** An object lock of the bucket, without a default retention. */
export async function objectLock({ house }: Scene): Promise<void> {
  const document = JSON.stringify({ mode: null, days: null, years: null });
  await house.house.projects.set(ADMIN_CALLER, STATE.project, { 's3-object-lock': document });
}

let extended = 0;

/** Gives the asker a further grant, so that only the other thing it needs is asked about. */
export function alsoGranted(grant: Grant): (scene: Scene) => Promise<void> {
  return async (scene) => {
    const { asker, house } = scene;
    if (asker.kind !== 'valid') return;
    extended += 1;
    scene.pair = await house.credential(`extended-${extended}`, [...asker.grants, grant]);
  };
}

/** What the part of an upload says. */
export const UPLOADED: string = stateText(9);

/** An upload of the asker's own, one part of which has come. */
export async function ownUpload(scene: Scene): Promise<void> {
  await upload(scene, scene.owner);
}

/** An upload of the admin's. */
export async function otherUpload(scene: Scene): Promise<void> {
  await upload(scene, ADMIN_CALLER);
}

async function upload(scene: Scene, by: Caller): Promise<void> {
  const { uploads } = scene.house.house;
  const begun = await uploads.begin(by, STATE);
  if (begun.type !== 'begun') throw new Error(`not begun: ${begun.type}`);
  scene.uploadId = begun.upload.id;
  const kept = await uploads.put(by, begun.upload, 1, streamOf([Buffer.from(UPLOADED)]));
  if (kept.type !== 'kept') throw new Error(`not kept: ${kept.type}`);
}

/** A freeze of the state. */
export const FREEZE: Pick<Freeze, 'pattern' | 'reason' | 'until'> = {
  pattern: 'acme/net/app@dev',
  reason: 'release week',
  until: Date.now() + 3_600_000,
};

/** The state, frozen. */
export async function frozen({ house }: Scene): Promise<void> {
  const answer = await house.house.freezes.set(ADMIN_CALLER, FREEZE);
  if (answer.type !== 'set') throw new Error(`not frozen: ${answer.type}`);
}

/** A webhook whose receiver is not there. */
export async function webhook({ house }: Scene): Promise<void> {
  const answer = await house.house.webhooks.set(ADMIN_CALLER, {
    name: 'pager',
    url: 'http://127.0.0.1:9/hook',
    secret: null,
    events: ['lock-stuck'],
    pattern: '*',
    format: 'json',
  });
  if (answer.type !== 'set') throw new Error(`no webhook: ${answer.type}`);
}

/** A refused write of the asker's own. */
export async function ownRefused(scene: Scene): Promise<void> {
  await refuse(scene, scene.owner);
}

/** A refused write of the admin's. */
export async function otherRefused(scene: Scene): Promise<void> {
  await refuse(scene, ADMIN_CALLER);
}

async function refuse(scene: Scene, by: Caller): Promise<void> {
  const { states } = scene.house.house;
  await state(scene);
  const body = streamOf([Buffer.from(stateText(1))]);
  const refused = await states.write(by, STATE, body, { claim: { kind: 'none' }, contentLength: null });
  if (!('kept' in refused) || refused.kept === undefined) throw new Error(`not kept: ${refused.type}`);
  scene.refusedId = refused.kept.id;
}

async function* streamOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** Empties a house: its states, locks, projects, tables and uploads; not its credentials. */
export async function empty({ house, engine, url }: TestHouse): Promise<void> {
  const states = await engine.states({ deleted: true, limit: 100 });
  for (const { address, world } of states) {
    for (const { lockId } of world.holders) {
      await house.locks.unlock(ADMIN_CALLER, address, { lockId, alias: null });
    }
    await house.states.delete(ADMIN_CALLER, address, { kind: 'none' });
    await house.history.purge(ADMIN_CALLER, address, { bypass: true });
  }
  const entries = (await engine.entries(null)).filter(({ kind }) => !KEPT_BY_ITSELF.has(kind));
  await engine.apply(entries.map(({ kind, name }) => ({ type: 'drop-entry', kind, name, note: null })));
  // Projects and tables are remembered for a moment, unless all of them are asked for.
  if (entries.some(({ kind }) => kind === PROJECT_KIND)) await house.projects.list();
  if (entries.some(({ kind }) => kind === FREEZE_KIND)) await house.freezes.list(ADMIN_CALLER);
  if (entries.some(({ kind }) => kind === DYNAMODB_TABLE_KIND)) {
    await askSigned(url, dynamoAsk('ListTables', {}));
  }
}

/** What a house writes down when its time has come, whoever asks for something meanwhile. */
const KEPT_BY_ITSELF: ReadonlySet<string> = new Set([
  INDEX_KIND,
  LAST_USE_KIND,
  NUMBERS_KIND,
  SEEN_READ_KIND,
]);

/** All that a house keeps and a request might change, as one text. */
export async function kept({ engine }: TestHouse): Promise<string> {
  const states = await engine.states({ deleted: true, used: true, limit: 100 });
  const worlds = states.map(({ address, world: { record, holders, line } }) => [
    address,
    record,
    holders.map(({ lockId, subject, aliases }) => [lockId, subject, aliases]),
    line.map(({ waiter }) => waiter),
  ]);
  const credentials = (await engine.credentials()).map(({ id, grants, revokedAt }) => [
    id,
    grants,
    revokedAt,
  ]);
  const entries = (await engine.entries(null)).filter(({ kind }) => !KEPT_BY_ITSELF.has(kind));
  return JSON.stringify([worlds, entries, credentials], (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}
