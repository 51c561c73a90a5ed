import { createHash } from 'node:crypto';
import type { Claim } from '../../../core/command.ts';
import { nameOfSubject } from '../../../core/subject.ts';
import type { House } from '../../../house/house.ts';
import { callerOf } from '../../caller.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { HCP_ALIAS, readStateVersionId } from '../layout.ts';
import type { Connections } from './connections.ts';
import { errorReply, refused, type HcpError } from './errors.ts';
import { md5Problem } from './state-version-create.ts';

/** The bytes of a state as `terraform show -json` has it, which are taken and not kept. */
const SHOWN_BYTES_MAX: number = 1024 * 1024 * 1024;

const UPLOAD = /^\/api\/v2\/uploads\/states\/([^/]+)\/([\w-]{43})(\/json)?$/;

/** What an upload needs besides the request. */
export interface UploadParts {
  readonly house: House;
  readonly connections: Connections;
  readonly door: { readonly name: string };
}

/** Whether a path is one that a state is uploaded to. */
export function isUpload(path: string): boolean {
  return path.startsWith('/api/v2/uploads/');
}

/** Takes a state that was announced. Its path is all that its sender shows: it is told to whoever may write, and good for one state. */
export async function takeUpload(parts: UploadParts, request: DoorRequest): Promise<DoorReply> {
  const operation = 'state-versions.upload';
  const answer = await take(parts, request, operation);
  return 'title' in answer ? errorReply(operation, answer) : answer;
}

async function take(
  { house, connections, door }: UploadParts,
  request: DoorRequest,
  operation: string,
): Promise<DoorReply | HcpError> {
  const [, id = '', ticket = '', shown] = UPLOAD.exec(request.path) ?? [];
  const name = readStateVersionId(id);
  if (request.method !== 'PUT' || name === null) return NOT_GOOD;
  const { pending } = house.workspaces;
  const announced = await pending.admit(id, ticket);
  if (announced === null) return NOT_GOOD;
  const { subject, credentialId, lockId, address, doneAt } = announced;
  const { md5 } = name;
  // Terraform sends both at once, and the state may have come by now; or its answer was lost, and it comes again.
  if (shown !== undefined || doneAt !== null)
    return drain(request, operation, shown === undefined ? md5 : null);
  // The programs of a run have no credential: they are known by its id, as their subject has it.
  const claimed = await house.identity.claimed(credentialId ?? nameOfSubject(subject));
  if (claimed === null || claimed.identity.subject !== subject) return NOT_GOOD;
  const wait = request.admit(subject);
  if (wait !== null) return { status: 429, title: 'too many requests', detail: `try again in ${wait} s` };
  if (lockId !== null) connections.uses(subject, request, address, lockId);
  const claim: Claim =
    lockId === null ? { kind: 'unnamed', aliases: [HCP_ALIAS] } : { kind: 'named', lockId };
  const answer = await house.states.write(callerOf(claimed.identity, door, request), address, request.body, {
    claim,
    contentLength: request.contentLength,
    verify: (digests) => md5Problem(digests.md5, md5),
  });
  if (answer.type !== 'stored') return refused(answer);
  await pending.done(announced);
  return { operation, status: 200, headers: {}, body: null };
}

/** Takes what is not kept. @param md5 of what it must be; null for anything */
async function drain(
  request: DoorRequest,
  operation: string,
  md5: string | null,
): Promise<DoorReply | HcpError> {
  const digest = createHash('md5');
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > SHOWN_BYTES_MAX) return refused({ type: 'too-large', limit: SHOWN_BYTES_MAX });
    if (md5 !== null) digest.update(chunk);
  }
  const problem = md5 === null ? null : md5Problem(digest.digest('hex'), md5);
  if (problem !== null) return refused({ type: 'damaged', problem });
  return { operation, status: 200, headers: {}, body: null };
}

const NOT_GOOD: HcpError = {
  status: 404,
  title: 'not found',
  detail: 'this address is not valid, or not any more: each is for one state, within an hour',
  stranger: true,
};
