import type { Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import { formatLockInfo } from '../../../core/lock-info.ts';
import { nameOfSubject, subjectOf } from '../../../core/subject.ts';
import type { AnnouncedState } from '../../../house/workspaces/pending-states.ts';
import { lockInfoOf } from '../../explain.ts';
import { z } from 'zod';
import { HCP_ALIAS, stateVersionId } from '../layout.ts';
import { isError, readOne, reply, type Answer, type DoorCall } from './call.ts';
import { full, invalid, refused } from './errors.ts';
import { describePending, describeVersion } from './state-version-view.ts';
import { findWorkspace } from './workspace-of.ts';

/** A document with a state in it: in base64, and once more as terraform shows it. Larger states are uploaded. */
const INLINE_BYTES_MAX: number = 32 * 1024 * 1024;

/** Go's client sends the state in a second request where the first is refused with these words (go-tfe, `state_version.go`). */
const SEND_INLINE = 'param is missing or the value is empty: state';

/** Under which lock's operation a state may replace any other: terraform says so by `force`, and not when it locks. */
const FORCED_OPERATION = 'state-push';

/** Terraform's serials have 64 bits. */
const SERIAL_MAX = 2n ** 64n - 1n;

const ATTRIBUTES = z.object({
  serial: z.union([
    z.number().int().min(0).transform(BigInt),
    z.bigint().min(0n).max(SERIAL_MAX, `expected at most ${SERIAL_MAX}`),
  ]),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/i)
    .transform((text) => text.toLowerCase()),
  lineage: z.string().max(512).nullish(),
  force: z.boolean().nullish(),
  state: z.string().nullish(),
  /** Not HCP's: the lock under which the state is written, from a client that knows it; null for none. */
  'lock-id': z.string().max(1_024).nullable().optional(),
});

type Attributes = z.infer<typeof ATTRIBUTES>;

/** Takes a state in: at once where it is in the document, else when it has been uploaded to the address that is answered. */
export async function createStateVersion(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller } = call;
  const refusal = await house.locks.refuse(caller, 'write', address);
  if (refusal !== null) return refused(refusal);
  const there = await findWorkspace(call, address);
  if (isError(there)) return there;
  const sent = await readOne(call, INLINE_BYTES_MAX);
  if (isError(sent)) return sent;
  const parsed = ATTRIBUTES.safeParse(sent.attributes);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`invalid ${issue?.path.join('.') ?? 'attribute'}: ${issue?.message ?? ''}`);
  }
  const attributes = parsed.data;
  const claim = (await claimOfRun(call)) ?? claimOf(call, address, attributes['lock-id']);
  if (attributes.force === true) await tellForced(call, address, claim);
  const { state } = attributes;
  if (typeof state === 'string') return storeInline(call, address, { attributes, claim, state });
  const announced: AnnouncedState = {
    serial: attributes.serial,
    lineage: attributes.lineage ?? '',
    md5: attributes.md5,
    claim,
  };
  const id = stateVersionId({ address, ...announced });
  const answer = await house.workspaces.pending.begin(caller, address, id, announced);
  switch (answer.type) {
    case 'begun':
      return reply(call, describePending(call, announced.md5, answer.pending, answer.ticket), {
        status: 201,
      });
    case 'full':
      return full('state versions that were not uploaded', answer.limit);
    case 'forbidden':
    case 'expired':
    case 'revoked':
      return refused(answer);
    default:
      // Its bytes are kept, and the reason is told in words, once they come with the document.
      return { ...refused(answer), status: 422, title: SEND_INLINE };
  }
}

/** What the connection is known to write under; null where that is not known. */
export function tellClaim({ connections, caller, request }: DoorCall, address: Address): Claim | null {
  const lockId = connections.lockOf(caller.identity.subject, request, address);
  return lockId === null ? null : { kind: 'named', lockId };
}

/** The programs of a run write under its lock, and under no other; null for anybody else. */
async function claimOfRun({ runs, caller }: DoorCall): Promise<Claim | null> {
  const { subject } = caller.identity;
  const name = nameOfSubject(subject);
  if (runs === null || subject !== subjectOf('run', name)) return null;
  const answer = await runs.show(caller, name);
  return answer.type === 'shown' ? { kind: 'named', lockId: answer.run.lockId } : null;
}

/** Under which lock a state is written. @param said the lock's ID, null for none, undefined from a client that knows of no IDs */
function claimOf(call: DoorCall, address: Address, said: string | null | undefined): Claim {
  if (typeof said === 'string') return { kind: 'named', lockId: said };
  if (said === null) return { kind: 'unnamed', aliases: [] };
  return tellClaim(call, address) ?? { kind: 'unnamed', aliases: [HCP_ALIAS] };
}

async function storeInline(
  call: DoorCall,
  address: Address,
  { attributes, claim, state }: { attributes: Attributes; claim: Claim; state: string },
): Promise<Answer> {
  const bytes = Buffer.from(state, 'base64');
  const answer = await call.house.states.write(call.caller, address, oneChunk(bytes), {
    claim,
    contentLength: bytes.length,
    verify: ({ md5 }) => md5Problem(md5, attributes.md5),
  });
  if (answer.type !== 'stored') return refused(answer);
  return reply(call, describeVersion(call, address, answer.version), { status: 201 });
}

/** What is wrong with the digest of a state that has come, or null. */
export function md5Problem(came: string, said: string): string | null {
  return came === said ? null : 'the state does not match the md5 that was said of it';
}

/** Has the lock of a forced push say that it is for one. */
async function tellForced({ house, caller }: DoorCall, address: Address, claim: Claim): Promise<void> {
  const shown = await house.locks.show(caller, address);
  if (shown.type !== 'shown') return;
  const holder = shown.lock.holders.find(
    ({ lockId, subject, aliases }) =>
      subject === caller.identity.subject &&
      (claim.kind === 'named' ? lockId === claim.lockId : aliases.includes(HCP_ALIAS)),
  );
  if (holder === undefined || holder.operation === FORCED_OPERATION) return;
  const info = formatLockInfo({ ...lockInfoOf(holder), operation: FORCED_OPERATION });
  await house.locks.describe(caller, address, {
    lockId: holder.lockId,
    operation: FORCED_OPERATION,
    info: Buffer.from(info),
  });
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
