import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readDuration } from '../../../core/duration.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import { readBody } from '../../wire/read-body.ts';
import {
  LOCK_DELAY_DEFAULT,
  LOCK_DELAY_MAX,
  NODE_NAME,
  SESSION_TTL_MAX,
  SESSION_TTL_MIN,
} from '../layout.ts';
import { jsonReply, type Answer, type DoorCall } from './call.ts';
import { endLockOf } from './end-lock.ts';
import { withGoNames } from './go-json.ts';
import { invalid, refused, type ConsulError } from './errors.ts';
import { leaseOf, locksOf, type Session } from './sessions.ts';

const BODY_BYTES_MAX = 64 * 1024;
const NAME_LENGTH_MAX = 256;
const NANOSECONDS: number = 1_000_000;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Go's `time.Duration` is a number of nanoseconds; Consul takes a smaller one for seconds (`agent/session_endpoint.go`). */
const SMALL_NUMBER = 1_000;

const CREATE = z.object({
  ID: z.string().regex(UUID).optional(),
  Name: z.string().max(NAME_LENGTH_MAX).default(''),
  Node: z.enum([NODE_NAME, '']).optional(),
  TTL: z.string().default(''),
  LockDelay: z.union([z.string(), z.number().nonnegative()]).default(''),
  Behavior: z.enum(['release', 'delete', '']).default('release'),
  Checks: z.array(z.literal('serfHealth')).nullish(),
  NodeChecks: z.array(z.literal('serfHealth')).nullish(),
  ServiceChecks: z.array(z.never()).nullish(),
});

/** Makes a session. One may choose its ID, as lock IDs are chosen at other doors: the same request again makes no other. */
export async function createSession(call: DoorCall): Promise<Answer> {
  const { house, sessions, processes, caller, request } = call;
  const shut = house.gate.known(caller.identity);
  if (shut !== null) return refused(shut);
  const body = await readBody(request, BODY_BYTES_MAX);
  const read = body === null ? { problem: `expected at most ${BODY_BYTES_MAX} bytes` } : readCreate(body);
  if ('problem' in read) return invalid(`invalid session: ${read.problem}`);
  const { subject } = caller.identity;
  const { id, ...settings } = read;
  const known = await sessions.find(id);
  if (known !== null && known.subject !== subject)
    return invalid(`invalid session: there is one with ID ${id}`);
  if (known === null && !(await sessions.create(id, { subject, ...settings }))) {
    return {
      status: 429,
      message: 'too many sessions: destroy some, or wait until their TTL ends them',
      headers: { 'retry-after': '10' },
    };
  }
  processes.shows(id, subject, request);
  return jsonReply(call, { ID: id });
}

/** Lets a session and what it holds live for another TTL. */
export async function renewSession(call: DoorCall): Promise<Answer> {
  const { house, sessions, processes, caller, request, asked } = call;
  const own = await ownSession(call);
  if ('message' in own) return own;
  // Of what it holds the house says whether it may, past the expiry of a credential, too.
  const shut = locksOf(own).length === 0 ? house.gate.known(caller.identity) : null;
  if (shut !== null) return refused(shut);
  const session = await sessions.renew(asked.name);
  if (session === null) return gone(asked.name);
  processes.shows(asked.name, caller.identity.subject, request);
  for (const address of locksOf(session)) {
    const answer = await house.locks.renew(caller, address, asked.name, leaseOf(session));
    if (answer.type === 'forbidden' || answer.type === 'expired' || answer.type === 'revoked')
      return refused(answer);
  }
  return jsonReply(call, [view(asked.name, session)]);
}

/**
 * Ends a session, and the hold that it has. The ID may be that of any lock: so does `terraform force-unlock` break it, whichever door
 * it was taken by. An ID that nothing is held under is refused, so that a wrong one is not taken for the right one.
 */
export async function destroySession(call: DoorCall): Promise<Answer> {
  const { house, sessions, processes, caller, request, asked } = call;
  const { subject } = caller.identity;
  const session = await sessions.find(asked.name);
  const addresses = session === null ? [] : locksOf(session);
  if (session !== null && session.subject !== subject && addresses.length === 0) return notYours();
  const shut = addresses.length === 0 ? house.gate.known(caller.identity) : null;
  if (session !== null && shut !== null) return refused(shut);
  if (session === null) {
    if (await sessions.hasJustEnded(asked.name, subject)) return jsonReply(call, true);
    const ended = await endLockOf(call, asked.name);
    if ('message' in ended) return ended;
    await sessions.end(asked.name, subject, [ended]);
    return jsonReply(call, true);
  }
  for (const address of addresses) {
    const answer = await house.locks.unlock(caller, address, { lockId: asked.name, alias: null });
    const isOver = ['released', 'not-locked', 'not-holder'].includes(answer.type);
    if (!isOver && answer.type !== 'released') return refused(answer);
  }
  processes.destroyed(asked.name, subject, request);
  await sessions.end(asked.name, subject, addresses);
  return jsonReply(call, true);
}

/** A session of one's own; an empty list for any other. */
export async function showSession(call: DoorCall): Promise<Answer> {
  const { house, sessions, caller, asked } = call;
  const shut = house.gate.known(caller.identity);
  if (shut !== null) return refused(shut);
  const session = await sessions.find(asked.name);
  const isOwn = session !== null && session.subject === caller.identity.subject;
  return jsonReply(call, isOwn ? [view(asked.name, session)] : [], 1);
}

/** One's own sessions: of all nodes, or of the one that there is. */
export async function listSessions(call: DoorCall): Promise<Answer> {
  const { house, sessions, caller, asked } = call;
  const shut = house.gate.known(caller.identity);
  if (shut !== null) return refused(shut);
  if (asked.operation === 'session.node' && asked.name !== NODE_NAME) return jsonReply(call, [], 1);
  const own = await sessions.of(caller.identity.subject);
  return jsonReply(
    call,
    own.map(([id, session]) => view(id, session)),
    1,
  );
}

async function ownSession({ sessions, caller, asked }: DoorCall): Promise<Session | ConsulError> {
  const session = await sessions.find(asked.name);
  if (session === null) return gone(asked.name);
  return session.subject === caller.identity.subject ? session : notYours();
}

function gone(id: string): ConsulError {
  return { status: 404, message: `Session id '${id}' not found` };
}

function notYours(): ConsulError {
  return { status: 403, message: 'Permission denied: the session belongs to another credential' };
}

function readCreate(
  body: Uint8Array,
):
  | ({ readonly id: string } & Omit<Session, 'subject' | 'createdAt' | 'endsAt' | 'locks'>)
  | { readonly problem: string } {
  let json: unknown = {};
  try {
    if (body.length > 0) json = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return { problem: 'expected JSON' };
  }
  const parsed = CREATE.safeParse(withGoNames(json ?? {}, Object.keys(CREATE.shape)));
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'body')))].join(', ');
    return {
      problem: `${fields} is not what it may be: no checks but serfHealth, no node but ${NODE_NAME}, Behavior release or delete`,
    };
  }
  const { ID, Name, TTL, LockDelay, Behavior } = parsed.data;
  const ttl = TTL === '' ? null : readDuration(TTL);
  if (ttl !== null && (typeof ttl !== 'number' || ttl < SESSION_TTL_MIN || ttl > SESSION_TTL_MAX))
    return { problem: `Session TTL '${TTL}' invalid, must be between [10s=24h0m0s]` };
  const lockDelay = readDelay(LockDelay);
  if (typeof lockDelay !== 'number') return lockDelay;
  return {
    id: ID ?? randomUUID(),
    name: Name,
    ttl,
    lockDelay,
    behavior: Behavior === 'delete' ? 'delete' : 'release',
  };
}

function readDelay(given: string | number): Milliseconds | { readonly problem: string } {
  if (given === '') return LOCK_DELAY_DEFAULT;
  const delay =
    typeof given === 'string'
      ? readDuration(given)
      : given < SMALL_NUMBER
        ? given * 1_000
        : given / NANOSECONDS;
  if (typeof delay !== 'number') return { problem: `LockDelay: ${delay.problem}` };
  return Math.min(delay, LOCK_DELAY_MAX);
}

function view(id: string, { name, ttl, lockDelay, behavior, createdAt }: Session): object {
  return {
    ID: id,
    Name: name,
    Node: NODE_NAME,
    LockDelay: lockDelay * NANOSECONDS,
    Behavior: behavior,
    TTL: ttl === null ? '' : `${ttl / 1_000}s`,
    NodeChecks: null,
    ServiceChecks: null,
    CreateIndex: createdAt,
    ModifyIndex: createdAt,
  };
}
