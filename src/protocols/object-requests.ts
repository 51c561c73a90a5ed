import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../core/instant.ts';
import { EngineFault } from '../ports/engine.ts';
import { BackendFault } from '../ports/state-client.ts';
import type { Reply } from './exchange.ts';

/** Where objects are in a store. */
export interface ObjectPlace {
  /** As it was written. */
  readonly text: string;
  /** Of Azure: the container. */
  readonly bucket: string;
  /** What the names of objects begin with: empty, or with a slash at its end. */
  readonly prefix: string;
  /** What else was said, such as an endpoint. */
  readonly options: Readonly<Record<string, string>>;
}

/** How often something is asked of a store of objects that did not answer, or asked to be asked again. */
const ATTEMPTS = 3;
const PAUSE_MS: Milliseconds = 200;
const PAUSE_MS_MAX: Milliseconds = 5_000;
/** What has no body of a state has so long for each attempt. */
const ANSWER_MS: Milliseconds = 15_000;
/** So long more for each MiB that goes, which is 100 kB/s. */
const MS_PER_MIB: Milliseconds = 10_000;
const UPLOAD_MS_MAX: Milliseconds = 10 * 60_000;
const MIB = 1_048_576;

/** How long one attempt may take that sends so many bytes. */
export function patienceFor(bytes: number): Milliseconds {
  return Math.min(UPLOAD_MS_MAX, ANSWER_MS + Math.ceil(bytes / MIB) * MS_PER_MIB);
}

/**
 * Asks a store of objects until there is an answer that will not be another one the next time. What is asked may be done twice.
 * @param ask one attempt, which has an end of its own
 * @throws {EngineFault} busy, where there is no such answer after three attempts
 */
export async function askStore(place: string, ask: (attempt: number) => Promise<Reply>): Promise<Reply> {
  for (let attempt = 1; ; attempt += 1) {
    const reply = await ask(attempt).catch((fault: unknown) => {
      if (fault instanceof BackendFault) return fault;
      throw fault;
    });
    const passes = reply instanceof BackendFault ? reply.kind === 'unreachable' : mayPass(reply.status);
    if (!passes) {
      if (reply instanceof BackendFault) throw asFault(place, reply);
      return reply;
    }
    if (attempt === ATTEMPTS) {
      const what = reply instanceof BackendFault ? reply.message : `HTTP ${reply.status}`;
      throw new EngineFault(`the body store ${place} does not answer: ${what}`, { busy: true });
    }
    const asked = reply instanceof BackendFault ? Number.NaN : Number(reply.headers['retry-after']) * 1_000;
    const usual = PAUSE_MS * 2 ** (attempt - 1);
    await sleep(Math.min(PAUSE_MS_MAX, Number.isFinite(asked) ? asked : usual));
  }
}

/** Opens a client of a store. @throws {EngineFault} in its words where it is not configured */
export function asStore<T>(place: string, open: () => T): T {
  try {
    return open();
  } catch (fault) {
    throw fault instanceof BackendFault ? asFault(place, fault) : fault;
  }
}

/** What a client of a backend says of its service, as a fault of what keeps states. */
function asFault(place: string, fault: BackendFault): EngineFault {
  const busy = fault.kind === 'unreachable';
  const next = fault.next === '' ? '' : ` ${fault.next}`;
  return new EngineFault(`the body store ${place} cannot be used: ${fault.message}.${next}`, { busy });
}

/** An answer that is neither what was asked for nor something that passes. */
export function refused(place: string, what: string, status: number, said: string): EngineFault {
  return new EngineFault(
    `the body store ${place} did not ${what}: HTTP ${status}${said === '' ? '' : `, ${said}`}`,
  );
}

/** By the guidance on retries that Amazon, Google and Microsoft give alike. */
function mayPass(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/**
 * The answer of a client that asks again by itself.
 * @param ask may take no longer than the signal lets it
 * @param patience for all attempts together
 * @throws {EngineFault} busy, where there is no answer, or it was to be asked again to the last
 */
export async function answerOf<R extends Reply>(
  place: string,
  patience: Milliseconds,
  ask: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const signal = AbortSignal.timeout(patience);
  const reply = await ask(signal).catch((fault: unknown) => {
    if (fault instanceof BackendFault && !signal.aborted) throw asFault(place, fault);
    const seconds = Math.round(patience / 1_000);
    if (signal.aborted)
      throw new EngineFault(`the body store ${place} did not answer within ${seconds} s`, { busy: true });
    throw fault;
  });
  if (mayPass(reply.status))
    throw new EngineFault(`the body store ${place} does not answer: HTTP ${reply.status}`, { busy: true });
  return reply;
}
