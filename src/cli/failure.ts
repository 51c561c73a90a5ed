import type { ExitCode } from './exit-codes.ts';
import { FAILED, LOCKED, WRONG_USE } from './exit-codes.ts';

/**
 * An end of the command that its user is to read: what went wrong, and what to do next.
 * Anything else that a command throws is a defect or a fault, and is printed as such.
 */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  /** What the user can do now, in a sentence or a few lines; empty when there is nothing. */
  readonly next: string;
  /** More for `--json`: the holder of a lock, for example. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    more: {
      readonly next?: string;
      readonly exitCode?: ExitCode;
      readonly details?: Readonly<Record<string, unknown>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'Failure';
    this.exitCode = more.exitCode ?? FAILED;
    this.next = more.next ?? '';
    this.details = more.details ?? {};
  }
}

/** The command line does not say what to do. */
export function wrongUse(message: string, next = ''): Failure {
  return new Failure(message, { exitCode: WRONG_USE, next });
}

/** Another holder has the lock. */
export function lockedByOther(
  message: string,
  next: string,
  details: Readonly<Record<string, unknown>> = {},
): Failure {
  return new Failure(message, { exitCode: LOCKED, next, details });
}
