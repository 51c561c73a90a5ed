import { randomUUID } from 'node:crypto';
import type { Address } from '../../../core/address.ts';
import { formatLockInfo, LOCK_INFO_TAKEN_BYTES_MAX, parseLockRequest } from '../../../core/lock-info.ts';
import { whereToLook } from '../../../core/lock-words.ts';
import { nameOfSubject } from '../../../core/subject.ts';
import { NEW_WORLD } from '../../../core/world.ts';
import type { LockAnswer } from '../../../house/locks/locks.ts';
import { HCP_ALIAS, TERRAFORMS_REASON, workspaceName } from '../layout.ts';
import { emptyReply, isError, readOne, reply, type Answer, type DoorCall, type Rows } from './call.ts';
import { invalid, refused, type HcpError } from './errors.ts';
import { pageOf } from '../../page-link.ts';
import { readBody } from '../../wire/read-body.ts';
import { readResource } from '../json-api.ts';
import { atWorkspace, findWorkspace } from './workspace-of.ts';
import { describeWorkspace } from './workspace-view.ts';

/** A reason that is longer is no reason. */
const BODY_BYTES_MAX: number = 2 * LOCK_INFO_TAKEN_BYTES_MAX;

/** The lock of a workspace. What terraform sends does not name it: it is the subject's, and the connection's where that is known. */
export const LOCK_ROWS: Rows = {
  'workspaces.lock': {
    method: 'POST',
    path: 'workspaces/:workspace/actions/lock',
    run: atWorkspace(lockWorkspace),
  },
  'workspaces.unlock': {
    method: 'POST',
    path: 'workspaces/:workspace/actions/unlock',
    run: atWorkspace(unlockWorkspace),
  },
  'workspaces.force-unlock': {
    method: 'POST',
    path: 'workspaces/:workspace/actions/force-unlock',
    run: atWorkspace(breakLock),
  },
};

/** Asks for the lock; held open where the run has asked before, until it is its turn. */
async function lockWorkspace(call: DoorCall, address: Address): Promise<Answer> {
  const { house, connections, caller, request } = call;
  const refusal = await house.locks.refuse(caller, 'lock', address);
  if (refusal !== null) return refused(refusal);
  const there = await findWorkspace(call, address);
  if (isError(there)) return there;
  const told = await readAsk(call, address);
  if (isError(told)) return told;
  const { lockId, operation, info, isNamed } = told;
  const { subject } = caller.identity;
  const ask = (waiter?: string): Promise<LockAnswer> =>
    house.locks.lock(caller, address, {
      lockId,
      ...(waiter === undefined ? {} : { waiter }),
      operation,
      info,
      tellsHoldersApart: false,
      alias: HCP_ALIAS,
      wait: null,
      gone: request.gone,
    });
  const answer = isNamed ? await ask() : await connections.inLine({ subject, lockId }, request, ask);
  if (answer.type !== 'granted')
    return answer.type === 'held' ? taken(call, address, answer) : refused(answer);
  connections.uses(subject, request, address, lockId);
  return { ...(await workspaceReply(call, address)), undelivered: answer.undelivered };
}

/**
 * Another holds the lock. Terraform shows nothing of this answer, and drops a connection on which something is left that it has not
 * read: its connection is what it is known by when it comes back.
 */
function taken(
  call: DoorCall,
  address: Address,
  refusal: Extract<LockAnswer, { readonly type: 'held' }>,
): Answer {
  const isTerraform = call.request.header('terraform-version') !== undefined;
  if (isTerraform) return emptyReply(call, 409);
  const error = refused(refusal);
  const where = whereToLook(pageOf(call.request, address));
  return { ...error, detail: [error.detail, where].filter((text) => text !== '').join('; ') };
}

interface LockWish {
  readonly lockId: string;
  readonly operation: string;
  readonly info: Uint8Array;
  /** Its client named the lock: it comes back under the same ID. */
  readonly isNamed: boolean;
}

/**
 * What a lock is asked for with. Terraform gives the same reason always; a reason that is a lock info, as our own client gives it,
 * is kept as one.
 */
async function readAsk({ house, caller, request }: DoorCall, address: Address): Promise<LockWish | HcpError> {
  const bytes = await readBody(request, BODY_BYTES_MAX);
  if (bytes === null)
    return invalid(`the reason is too long: expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes`);
  const sent = bytes.length === 0 ? null : readResource(bytes);
  const reason = sent?.attributes['reason'] ?? readPlainReason(bytes) ?? '';
  if (typeof reason !== 'string') return invalid('the reason is a text');
  const named = reason.startsWith('{') ? parseLockRequest(Buffer.from(reason)) : null;
  if (named !== null && 'info' in named) {
    const { id, operation } = named.info;
    return { lockId: id, operation, info: Buffer.from(reason), isNamed: true };
  }
  const lockId = randomUUID();
  const info = formatLockInfo({
    id: lockId,
    operation: '',
    info: reason === TERRAFORMS_REASON ? '' : reason,
    who: `${nameOfSubject(caller.identity.subject)}@${request.peer}`,
    version: request.header('terraform-version') ?? '',
    created: new Date(await house.now()).toISOString(),
    path: `${address.project}/${workspaceName(address)}`,
  });
  return { lockId, operation: '', info: Buffer.from(info), isNamed: false };
}

/** HashiCorp's own examples send the reason without a document around it. */
function readPlainReason(bytes: Uint8Array): string | null {
  try {
    const { reason } = JSON.parse(Buffer.from(bytes).toString()) as { readonly reason?: unknown };
    return typeof reason === 'string' ? reason : null;
  } catch {
    return null;
  }
}

/** Releases the lock that this connection's run took or, where that is not known, the one that its subject holds. */
async function unlockWorkspace(call: DoorCall, address: Address): Promise<Answer> {
  const { house, connections, caller, request } = call;
  const { subject } = caller.identity;
  const refusal = await house.locks.refuse(caller, 'unlock', address);
  if (refusal !== null) return refused(refusal);
  if (await house.workspaces.pending.isAwaited(address, subject)) {
    return {
      status: 422,
      title: 'latest state version is still pending',
      detail: 'the state that was announced has not come yet: try again in a second',
    };
  }
  const named = await lockNamed(call);
  const own = named ?? connections.lockOf(subject, request, address);
  if (own === null && connections.comesAgain(subject, address)) return workspaceReply(call, address);
  const lockId = own ?? (await heldBy(call, address));
  if (isError(lockId)) return lockId;
  if (lockId === null) {
    return connections.hasJustReleased(subject, address)
      ? workspaceReply(call, address)
      : refused({ type: 'not-locked' });
  }
  const answer = await house.locks.unlock(caller, address, { lockId, alias: null });
  if (answer.type !== 'released') return refused(answer);
  connections.released(subject, address);
  return {
    ...(await workspaceReply(call, address)),
    undelivered: () => connections.untold(subject, address),
  };
}

/** The ID of the lock that the caller's own subject holds; null where nobody holds it. */
async function heldBy({ house, caller }: DoorCall, address: Address): Promise<string | null | HcpError> {
  const shown = await house.locks.show(caller, address);
  if (shown.type !== 'shown') return refused(shown);
  const { holders, usualHold } = shown.lock;
  const [holder] = holders;
  if (holder === undefined) return null;
  if (holder.subject === caller.identity.subject) return holder.lockId;
  return refused({ type: 'not-holder', holders, usualHold });
}

/** The lock that an attribute names; null where none does, as with terraform. */
async function lockNamed(call: DoorCall): Promise<string | null> {
  const { contentLength } = call.request;
  const sent = contentLength === 0 || contentLength === null ? null : await readOne(call);
  const named = sent === null || isError(sent) ? undefined : sent.attributes['lock-id'];
  return typeof named === 'string' ? named : null;
}

/** Breaks the lock; a client that has seen which one it is names it by an attribute, as terraform does not. */
async function breakLock(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller, connections } = call;
  const refusal = await house.locks.refuse(caller, 'force-unlock', address);
  if (refusal !== null) return refused(refusal);
  const lockId = await lockNamed(call);
  const shown = await house.locks.show(caller, address);
  if (shown.type !== 'shown') return refused(shown);
  const { subject } = caller.identity;
  // Whoever asks twice is told so, unless the first answer never came.
  if (shown.lock.holders.length === 0 && !connections.breaksAgain(subject, address))
    return refused({ type: 'not-locked' });
  const answer = await house.locks.unlock(caller, address, { lockId, alias: null });
  if (answer.type !== 'released') return refused(answer);
  return {
    ...(await workspaceReply(call, address)),
    undelivered: () => connections.untoldBreak(subject, address),
  };
}

async function workspaceReply(call: DoorCall, address: Address): Promise<ReturnType<typeof reply>> {
  const { house, caller } = call;
  const look = await house.workspaces.kept.look(caller, address);
  // A lock that was released may have been all that there was.
  const workspace = look.type === 'there' ? look.workspace : { address, record: null, world: NEW_WORLD };
  return reply(call, describeWorkspace(call, workspace));
}
