import { createHash, randomUUID } from 'node:crypto';
import { isStateHeader, readStateHeader } from '../../../core/state-header.ts';
import { whyNotSupersede } from '../../../core/supersede.ts';
import type { HeldLock, LockRequest, StateClient } from '../../../ports/state-client.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { makeLockRequest } from '../../../protocols/lock-request.ts';
import { waitForLock } from '../../../protocols/wait-for-lock.ts';
import { Failure, lockedByOther } from '../../failure.ts';
import { readVersion } from '../../../server/version.ts';
import type { ReadState } from '../import-check.ts';
import { isEmptyState } from '../import-check.ts';
import { heldByInWords } from '../lock-view.ts';
import { OPERATION_FROM, OPERATION_INIT, OPERATION_TO } from '../operations.ts';
import { writeAndVerify } from '../writing.ts';
import type { Journal, LockIds } from './journal.ts';

export interface Sides {
  readonly from: StateClient;
  readonly to: StateClient;
}

export interface CopyOptions {
  readonly timeout: number;
  readonly force: boolean;
  readonly stopped: AbortSignal;
}

/** What became of one workspace. */
export interface Copied {
  readonly workspace: string;
  readonly outcome: 'copied' | 'already there' | 'empty';
  readonly serial: bigint | null;
  readonly sha256: string | null;
}

/** What would become of it, as far as that can be told without locks. */
export type Planned =
  | Copied
  | { readonly workspace: string; readonly outcome: 'conflict'; readonly why: string };

/** Looks at a workspace on both sides, and changes nothing. */
export async function planCopy({ from, to }: Sides, workspace: string, force: boolean): Promise<Planned> {
  const source = await readState(from, workspace);
  const target = await ifMade(to, readState(to, workspace));
  const verdict = judge(source, target, force);
  if ('why' in verdict) return { workspace, outcome: 'conflict', why: verdict.why };
  return describe(workspace, verdict.outcome, source);
}

/**
 * Copies one workspace, locked on both sides: the bytes as they are, with lineage and serial, read back and compared. What
 * is there already is left alone, so it can be done again.
 */
export async function copyWorkspace(
  sides: Sides,
  workspace: string,
  journal: Journal,
  options: CopyOptions,
): Promise<Copied> {
  const ids = await lockIdsOf(sides, workspace, journal);
  const held: HeldLock[] = [];
  try {
    held.push(
      ...(await lockSide(sides.from, { workspace, operation: OPERATION_FROM, id: ids.from }, options)),
    );
    const [toLock = null] = await lockSide(
      sides.to,
      { workspace, operation: OPERATION_TO, id: ids.to },
      options,
    );
    if (toLock !== null) held.push(toLock);
    const source = await readState(sides.from, workspace);
    const target = await readState(sides.to, workspace);
    const verdict = judge(source, target, options.force);
    if ('why' in verdict) throw conflict(workspace, verdict.why);
    if (verdict.outcome === 'copied' && source !== null) {
      await writeAndVerify(sides.to, workspace, source.bytes, toLock);
    }
    await releaseAll(held);
    if (verdict.outcome === 'empty') await createEmpty(sides.to, workspace);
    await journal.forget(workspace);
    return describe(workspace, verdict.outcome, source);
  } catch (fault) {
    await releaseAll(held).catch(() => undefined);
    throw fault;
  }
}

/** The lock IDs of a workspace: those of a lock that an earlier run left there, or new ones. */
async function lockIdsOf(sides: Sides, workspace: string, journal: Journal): Promise<LockIds> {
  const known = journal.known(workspace);
  const ids = {
    from: await lockIdAt(sides.from, workspace, known?.from ?? null),
    to: await lockIdAt(sides.to, workspace, known?.to ?? null),
  };
  await journal.remember(workspace, ids);
  return ids;
}

/** An ID of ours whose lock is gone was perhaps released just before that run died, and a server grants an ID only once. */
async function lockIdAt(client: StateClient, workspace: string, known: string | null): Promise<string> {
  if (known === null) return randomUUID();
  const lock = await ifMade(client, client.inspectLock(workspace));
  const isGone =
    lock === null ||
    lock.type === 'free' ||
    (lock.type === 'held' && lock.holder !== null && (lock.askedWith ?? lock.holder.id) !== known);
  return isGone ? randomUUID() : known;
}

/** The answer of a backend; null where it is missing, and the first lock makes it. */
async function ifMade<T>({ traits }: StateClient, asked: Promise<T>): Promise<T | null> {
  return asked.catch((fault: unknown) => {
    if (traits.madeByLock && fault instanceof BackendFault && fault.kind === 'missing') return null;
    throw fault;
  });
}

/** A refusal that names the workspace and what can be done. */
export function conflict(workspace: string, why: string): Failure {
  return new Failure(`workspace ${workspace} was not copied: ${why}`, {
    next: 'Compare both with "statehouse diff". --force replaces the state of the target.',
  });
}

/** Locks a workspace of one side, if that side has locks. @throws Failure when another has it */
export async function lockSide(
  client: StateClient,
  { workspace, operation, id }: { workspace: string; operation: string; id: string },
  { timeout, stopped }: CopyOptions,
): Promise<readonly HeldLock[]> {
  if (client.traits.locks === 'none') return [];
  const request: LockRequest = { ...makeLockRequest(operation, readVersion()), id };
  const answer = await waitForLock(client, workspace, request, { timeout, signal: stopped });
  if (answer.type === 'locked') return [answer.lock];
  if (answer.type === 'unsupported') return [];
  const whom = answer.holder === null ? answer.message : heldByInWords(answer.holder, answer.line);
  throw lockedByOther(
    `workspace ${workspace} is locked at ${client.locate(workspace)}: ${whom}`,
    'Run the same command again later, or with --lock-timeout: it continues where it stopped.',
    { holder: answer.holder },
  );
}

/** Releases them, the last one first. @throws Failure when one was lost */
export async function releaseAll(held: HeldLock[]): Promise<void> {
  for (const lock of held.splice(0).reverse()) {
    const answer = await lock.release();
    if (answer.type === 'lost')
      throw new Failure(`the lock on workspace ${lock.workspace} was lost: ${answer.message}`);
  }
}

/** The state of a workspace, or null. @throws Failure when it cannot be read */
export async function readState(client: StateClient, workspace: string): Promise<ReadState | null> {
  const bytes = await client.read(workspace);
  if (bytes === null) return null;
  const header = readStateHeader(bytes);
  if (isStateHeader(header)) return { bytes, header };
  throw new Failure(`${client.locate(workspace)} does not contain a readable state: ${header.problem}`);
}

function judge(
  source: ReadState | null,
  target: ReadState | null,
  force: boolean,
): { readonly outcome: Copied['outcome'] } | { readonly why: string } {
  if (source === null) return { outcome: 'empty' };
  if (target === null || force) return { outcome: same(source, target) ? 'already there' : 'copied' };
  if (same(source, target)) return { outcome: 'already there' };
  if (isEmptyState(target)) return { outcome: 'copied' };
  const [a, b] = [source.header, target.header];
  switch (whyNotSupersede(a, b)) {
    case null:
      return { outcome: 'copied' };
    case 'lineage':
      return { why: `the target has another state, with lineage ${b.lineage}` };
    case 'serial-lower':
    case 'serial-equal':
      return { why: `the target has serial ${b.serial}, and the source ${a.serial}` };
  }
}

function same(a: ReadState, b: ReadState | null): boolean {
  return b !== null && Buffer.from(a.bytes).equals(b.bytes);
}

function describe(workspace: string, outcome: Copied['outcome'], source: ReadState | null): Copied {
  return {
    workspace,
    outcome,
    serial: source?.header.serial ?? null,
    sha256: source === null ? null : createHash('sha256').update(source.bytes).digest('hex'),
  };
}

/** A workspace in which nothing was applied yet is made on the other side as well. */
async function createEmpty(to: StateClient, workspace: string): Promise<void> {
  if (workspace === 'default' || to.traits.workspaces !== 'listed') return;
  if ((await to.workspaces())?.includes(workspace) === true) return;
  await to.createWorkspace(workspace, makeLockRequest(OPERATION_INIT, readVersion()));
}
