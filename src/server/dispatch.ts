import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { EngineFault } from '../ports/engine.ts';
import type { Log } from '../ports/log.ts';
import type { Door, DoorReply, DoorRequest } from '../protocols/door.ts';
import { BodyBroken } from './body-guard.ts';
import { sendReply, toDoorRequest } from './exchange.ts';
import type { Metrics } from './metrics.ts';

/** A path and query longer than any address needs. */
const TARGET_LENGTH_MAX = 8 * 1024;

/** Gives each request to the first door that claims it, and sees that every fault is answered as one. */
export function dispatch(options: {
  doors: readonly Door[];
  log: Log;
  metrics: Metrics;
  /** Told of a fault after which nothing can be trusted. */
  fatal: (fault: EngineFault) => void;
}): RequestListener {
  const { doors, log, metrics, fatal } = options;

  async function answer(door: Door, request: DoorRequest): Promise<DoorReply> {
    try {
      return await door.answer(request);
    } catch (fault) {
      if (fault instanceof BodyBroken) return door.fault(request, fault.message);
      log.error('a request could not be answered', { door: door.name, fault: describe(fault) });
      if (fault instanceof EngineFault && fault.fatal) fatal(fault);
      const reply = door.fault(
        request,
        'the house cannot say now: try again in a moment, and if that goes on, its log says why',
      );
      return fault instanceof EngineFault && fault.busy ? askAgain(reply) : reply;
    }
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const request = toDoorRequest(incoming, response);
    const door = doors.find((candidate) => candidate.claims(request));
    const tooLong = request.target.length > TARGET_LENGTH_MAX;
    const reply = tooLong ? TOO_LONG : door === undefined ? UNKNOWN : await answer(door, request);
    const name = door?.name ?? 'none';
    const delivered = await sendReply(incoming, response, reply);
    const seconds = (performance.now() - began) / 1_000;
    metrics.request(name, reply.operation, reply.status, seconds);
    if (!delivered && reply.live === undefined) metrics.undelivered(name, reply.operation);
    log.debug('request', {
      door: name,
      operation: reply.operation,
      status: reply.status,
      seconds,
      delivered,
    });
  }

  return (incoming, response) => {
    serve(incoming, response).catch((fault: unknown) => {
      log.error('a reply broke off', { fault: describe(fault) });
      response.destroy();
    });
  };
}

const UNKNOWN = plain(404, 'nothing is here: the doors are listed at /');
const TOO_LONG = plain(414, `the path and query are longer than ${TARGET_LENGTH_MAX} characters`);

/** Back-pressure in HTTP's own words: Terraform's http client waits so long before it tries again. */
function askAgain(reply: DoorReply): DoorReply {
  return { ...reply, headers: { ...reply.headers, 'retry-after': '1' } };
}

function plain(status: number, message: string): DoorReply {
  const body = Buffer.from(`${JSON.stringify({ error: 'unknown-route', message })}\n`);
  return { operation: 'unknown', status, headers: { 'content-type': 'application/json' }, body };
}

/** A fault in words for the log: its stack names our own lines, never what a client sent. */
function describe(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const cause = fault.cause instanceof Error ? ` (${fault.cause.message})` : '';
  return `${fault.stack ?? fault.message}${cause}`;
}
