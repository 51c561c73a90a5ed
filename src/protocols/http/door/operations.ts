import {
  formatLockInfo,
  LOCK_INFO_BYTES_MAX,
  LOCK_INFO_TAKEN_BYTES_MAX,
  type LockInfo,
  parseLockInfo,
  parseLockRequest,
} from '../../../core/lock-info.ts';
import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { pageOf } from '../../page-link.ts';
import { readBody } from '../../wire/read-body.ts';
import { stateReply, versionHeaders } from '../../wire/state-reply.ts';
import { HTTP_ALIAS } from '../layout.ts';
import type { DetectedRequest, Operation } from './detect.ts';
import { badRequest, lockReply, lockText, pushUnderOwn, readsIdAlone, refused } from './errors.ts';

/** What every row of the table is given. */
export interface DoorCall {
  readonly house: House;
  readonly caller: Caller;
  readonly request: DoorRequest;
  readonly asked: DetectedRequest;
}

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, (call: DoorCall) => Promise<DoorReply>>> = {
  read,
  write,
  delete: remove,
  lock,
  unlock,
  'show-lock': showLock,
};

async function read({ house, caller, request, asked: { address } }: DoorCall): Promise<DoorReply> {
  const answer = await house.states.read(caller, address);
  if (answer.type !== 'found') return refused('read', address, answer);
  return stateReply('read', answer, request);
}

async function write({ house, caller, request, asked }: DoorCall): Promise<DoorReply> {
  const { address, lockId } = asked;
  const wanted = request.header('content-md5');
  const answer = await house.states.write(caller, address, request.body, {
    claim: lockId === null ? { kind: 'none' } : { kind: 'named', lockId },
    contentLength: request.contentLength,
    verify: ({ md5 }) =>
      wanted === undefined || sameMd5(wanted, md5) ? null : 'the body does not match its Content-MD5',
    ...expectation(request),
  });
  if (answer.type !== 'stored') return refused('write', address, answer);
  const { number, serial, sha256 } = answer.version;
  const headers = { etag: `"${sha256}"`, ...versionHeaders(number, serial) };
  return { operation: 'write', status: 200, headers, body: null };
}

async function remove({ house, caller, asked: { address, lockId } }: DoorCall): Promise<DoorReply> {
  const claim = lockId === null ? ({ kind: 'none' } as const) : ({ kind: 'named', lockId } as const);
  const answer = await house.states.delete(caller, address, claim);
  if (answer.type !== 'deleted') return refused('delete', address, answer);
  return { operation: 'delete', status: 200, headers: {}, body: null };
}

async function lock({ house, caller, request, asked: { address, wait, run } }: DoorCall): Promise<DoorReply> {
  const info = await readBody(request, LOCK_INFO_TAKEN_BYTES_MAX);
  if (info === null) {
    const message = `the lock info is too large: expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes`;
    return badRequest('lock', message);
  }
  const parsed = parseLockRequest(info);
  if ('problem' in parsed) return badRequest('lock', parsed.problem);
  const answer = await house.locks.lock(caller, address, {
    lockId: parsed.info.id,
    operation: parsed.info.operation,
    info: withRun(info, parsed.info, run),
    tellsHoldersApart: true,
    alias: HTTP_ALIAS,
    wait,
    gone: request.gone,
  });
  if (answer.type !== 'granted') {
    const own = pushUnderOwn(answer, parsed.info.operation, caller.identity.subject);
    const isOld = readsIdAlone(request.header('user-agent'), parsed.info.version);
    return refused('lock', address, answer, { readsIdAlone: isOld, own, page: pageOf(request, address) });
  }
  return {
    operation: 'lock',
    status: 200,
    headers: { 'x-statehouse-fence': String(answer.holder.fence) },
    body: null,
    undelivered: answer.undelivered,
  };
}

/** An empty body is Terraform's force-unlock, which sends no ID; OpenTofu's sends the ID that was typed. */
async function unlock({ house, caller, request, asked: { address, lockId } }: DoorCall): Promise<DoorReply> {
  const info = await readBody(request, LOCK_INFO_BYTES_MAX);
  if (info === null)
    return badRequest('unlock', `the lock info is too large: expected at most ${LOCK_INFO_BYTES_MAX} bytes`);
  const parsed = info.length === 0 ? null : parseLockInfo(info);
  if (parsed !== null && 'problem' in parsed) return badRequest('unlock', parsed.problem);
  const named = parsed?.info.id ?? lockId;
  const answer = await house.locks.unlock(caller, address, { lockId: named, alias: HTTP_ALIAS });
  if (answer.type !== 'released') return refused('unlock', address, answer);
  return { operation: 'unlock', status: 200, headers: {}, body: null };
}

async function showLock({ house, caller, asked: { address } }: DoorCall): Promise<DoorReply> {
  const answer = await house.locks.show(caller, address);
  if (answer.type !== 'shown') return refused('show-lock', address, answer);
  const { holders, waiting, usualHold } = answer.lock;
  const at = await house.now();
  const text = lockText({ holders, usualHold, at }, { position: null, waiting });
  if (text === null) return refused('show-lock', address, { type: 'absent' });
  return lockReply('show-lock', 200, text);
}

/** The lock info as it was sent, and in it the run of a pipeline, which terraform has no word for. */
function withRun(sent: Uint8Array, info: LockInfo, run: string | null): Uint8Array {
  return run === null || info.info !== '' ? sent : Buffer.from(formatLockInfo({ ...info, info: run }));
}

/** `If-Match` with a state's ETag, or `If-None-Match: *`, makes a write depend on what it replaces. */
function expectation(request: DoorRequest): { expects?: { sha256: string | null } } {
  if (request.header('if-none-match')?.trim() === '*') return { expects: { sha256: null } };
  const match = /^"([0-9a-f]{64})(?:-gzip)?"$/.exec(request.header('if-match')?.trim() ?? '');
  const sha256 = match?.[1];
  return sha256 === undefined ? {} : { expects: { sha256 } };
}

function sameMd5(base64: string, hex: string): boolean {
  return Buffer.from(base64, 'base64').toString('hex') === hex;
}
