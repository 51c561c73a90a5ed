import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { EngineFault } from '../ports/engine.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Log } from '../ports/log.ts';
import type { Door, DoorReply, DoorRequest } from '../protocols/door.ts';
import { faultReply, problemReply } from '../protocols/wire/problem.ts';
import { NoRoomForBody } from '../protocols/wire/read-body.ts';
import { signsIn } from './api/session-cookie.ts';
import { BodyBroken } from './body-guard.ts';
import type { Deliveries } from './deliveries.ts';
import { DoorTable } from './door-table.ts';
import { sendReply, toDoorRequest } from './exchange.ts';
import type { Metrics } from './metrics.ts';
import type { Reach } from './origin.ts';
import { unknownPath } from './signposts.ts';
import type { Traffic } from './traffic.ts';

/** A path and query longer than any address needs. */
const TARGET_LENGTH_MAX = 8 * 1024;

/** When somebody with a wrong credential may try again, of whom too many wait for their answer. */
const STRANGER_RETRY_S = 10;

/** Gives each request to its door, and sees that every fault is answered as one. */
export function dispatch(options: {
  doors: readonly Door[];
  log: Log;
  metrics: Pick<Metrics, 'request' | 'undelivered'>;
  entropy: Entropy;
  traffic: Traffic;
  reach: Reach;
  deliveries: Pick<Deliveries, 'watch'>;
  /** Told of a fault after which nothing can be trusted. */
  fatal: (fault: EngineFault) => void;
}): RequestListener {
  const { log, metrics, entropy, traffic, reach, deliveries, fatal } = options;
  const doors = new DoorTable(options.doors);

  async function answer(request: DoorRequest): Promise<Answered> {
    if (request.target.length > TARGET_LENGTH_MAX) return { door: NO_DOOR, reply: TOO_LONG };
    if (isFromAnotherSite(request)) return { door: NO_DOOR, reply: FROM_ANOTHER_SITE };
    let door: Door | undefined;
    try {
      door = doors.find(request);
      if (door === undefined) return { door: NO_DOOR, reply: unknownPath(request) };
      const wait = traffic.admitPeer(request.peer);
      const throttled = wait === null ? null : door.throttled(request, wait);
      return { door: door.name, reply: throttled ?? (await admitted(door, request)) };
    } catch (fault) {
      const name = door?.name ?? NO_DOOR;
      const fail = (message: string): DoorReply =>
        door?.fault(request, message) ?? faultReply('unknown', message);
      if (fault instanceof BodyBroken) return { door: name, reply: fail(fault.message) };
      if (fault instanceof NoRoomForBody) return { door: name, reply: askAgain(fail(fault.message)) };
      log.error('a request could not be answered', {
        door: name,
        request: request.id,
        fault: describe(fault),
      });
      if (fault instanceof EngineFault && fault.fatal) fatal(fault);
      const reply = fail(
        "temporarily unavailable: try again in a moment; if it goes on, see the server's log",
      );
      return { door: name, reply: fault instanceof EngineFault && fault.busy ? askAgain(reply) : reply };
    }
  }

  /** The door's own answer; to a wrong credential it may come later, or not at all. */
  async function admitted(door: Door, request: DoorRequest): Promise<DoorReply> {
    const reply = await door.answer(request);
    if (reply.stranger !== true || !presentsCredential(request)) return reply;
    const { peer, gone } = request;
    const isAnswered = await traffic.strangers.refused({ peer, door: door.name, gone });
    return isAnswered ? reply : (door.throttled(request, STRANGER_RETRY_S) ?? reply);
  }

  async function send(
    incoming: IncomingMessage,
    response: ServerResponse,
    id: string,
    reply: DoorReply,
  ): Promise<boolean> {
    try {
      return await sendReply(incoming, response, named(reply, id));
    } catch (fault) {
      log.error('a reply broke off', {
        operation: reply.operation,
        request: id,
        fault: describe(fault),
      });
      response.destroy();
      return false;
    }
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const request = toDoorRequest(newRequestId(entropy), incoming, response, { traffic, reach });
    const { door, reply } = await answer(request);
    const delivered = await send(incoming, response, request.id, reply);
    const seconds = (performance.now() - began) / 1_000;
    metrics.request(door, reply.operation, reply.status, seconds);
    const { undelivered } = reply;
    if (!delivered && reply.live === undefined) metrics.undelivered(door, reply.operation);
    if (delivered && undelivered !== undefined) {
      const lost = (): void => {
        metrics.undelivered(door, reply.operation);
        undelivered();
      };
      deliveries.watch(incoming.socket, lost, undelivered.unheard);
    }
    log.debug('request', {
      request: request.id,
      door,
      operation: reply.operation,
      status: reply.status,
      seconds,
      delivered,
    });
  }

  return (incoming, response) => {
    serve(incoming, response).catch((fault: unknown) => {
      log.error('a request could not be served', { fault: describe(fault) });
      response.destroy();
    });
  };
}

/** Names a request as AWS does, by 16 hexadecimal digits. */
function newRequestId(entropy: Entropy): string {
  const uuid = entropy.uuid();
  return `${uuid.slice(0, 8)}${uuid.slice(-8)}`.toUpperCase();
}

/** The reply, which says what request it is to. */
function named(reply: DoorReply, id: string): DoorReply {
  return { ...reply, headers: { 'x-request-id': id, ...reply.headers } };
}

interface Answered {
  /** The name of the door, for logs and metrics. */
  readonly door: string;
  readonly reply: DoorReply;
}

/** What requests that are no door's are counted under. */
const NO_DOOR = 'none';
const TOO_LONG = problemReply('unknown', 'too-long', {
  status: 414,
  message: `the path and query are too long: expected at most ${TARGET_LENGTH_MAX} characters`,
});

const FROM_ANOTHER_SITE = problemReply('unknown', 'cross-site', {
  status: 403,
  message: 'a page of another site cannot change anything on this server',
});

/**
 * Whether a page of another site asks for more than to read. Browsers send a Basic credential that they know with whatever
 * any page asks for, and say where that page is from; other clients say nothing of the kind.
 */
function isFromAnotherSite(request: DoorRequest): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return false;
  const site = request.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = request.header('origin');
  if (origin === undefined) return false;
  const host = request.header('x-forwarded-host') ?? request.header('host') ?? '';
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Whether a request brings any credential: browsers ask without one first, and send the one of a sign-in page in a form. */
function presentsCredential(request: DoorRequest): boolean {
  const headers = ['authorization', 'x-consul-token'];
  return (
    /^application\/x-www-form-urlencoded\b/i.test(request.header('content-type') ?? '') ||
    headers.some((name) => request.header(name) !== undefined) ||
    signsIn(request) ||
    /(?:^|&)(?:X-Amz-Signature|token|sig)=/.test(request.query) ||
    // A client's secret comes in a form.
    (request.method === 'POST' && request.path.endsWith('/token'))
  );
}

/** Back-pressure in HTTP's own words: Terraform's http client waits so long before it tries again. */
function askAgain(reply: DoorReply): DoorReply {
  return { ...reply, headers: { ...reply.headers, 'retry-after': '1' } };
}

/** A fault in words for the log: its stack names our own lines, never what a client sent. */
function describe(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const cause = fault.cause instanceof Error ? ` (${fault.cause.message})` : '';
  return `${fault.stack ?? fault.message}${cause}`;
}
