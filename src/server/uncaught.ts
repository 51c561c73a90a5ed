import type { Log } from '../ports/log.ts';

/** Faults that are told of; a process that is ending may throw many. */
const LOGGED_MAX = 10;
const MESSAGE_LENGTH_MAX = 1_000;
const STACK_LENGTH_MAX = 4_000;
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Watches for faults that nothing catches, until it is disposed of. */
export interface UncaughtWatch extends Disposable {
  /** Resolves at the first one. The process is to end then: nobody knows what was left half done. */
  readonly first: Promise<void>;
}

/** Has faults that nothing catches logged instead of printed, and leaves it to the caller to end the process in order. */
export function watchUncaught(log: Log): UncaughtWatch {
  let tell: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    tell = resolve;
  });
  let count = 0;
  const note = (fault: unknown): void => {
    if (++count <= LOGGED_MAX) log.error('a fault that nothing caught: the process ends', factsOf(fault));
    tell();
  };
  for (const event of EVENTS) process.on(event, note);
  return {
    first,
    [Symbol.dispose]() {
      for (const event of EVENTS) process.off(event, note);
    },
  };
}

/** What else an error carries (a row, a request, an input) may be secret; so may a thrown value that is no error. */
function factsOf(fault: unknown): { name: string; message?: string; stack?: string } {
  if (!(fault instanceof Error)) return { name: typeof fault };
  return {
    name: fault.name,
    message: fault.message.slice(0, MESSAGE_LENGTH_MAX),
    stack: (fault.stack ?? '').slice(0, STACK_LENGTH_MAX),
  };
}
