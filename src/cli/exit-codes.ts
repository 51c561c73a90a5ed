/** What the command's exit code says. Scripts rely on these numbers: they never change. */
export type ExitCode = typeof DONE | typeof FAILED | typeof WRONG_USE | typeof LOCKED;

/** Done as asked. */
export const DONE = 0;
/** Tried, and it did not work. */
export const FAILED = 1;
/** The command line or its configuration is wrong: nothing was tried. */
export const WRONG_USE = 2;
/** Someone else holds the lock. */
export const LOCKED = 3;
