import type { Usage } from './usage.ts';

/** One program that is to be run for a phase. */
export interface Work {
  /** The run's own directory: all that the program may write. */
  readonly directory: string;
  /** Where it is run, within that directory. */
  readonly cwd: string;
  readonly program: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its state is: all that it has to reach. */
  readonly stateUrl: string;
  /** What it says on its standard output; what it says on standard error goes to the second. */
  readonly onOutput: (bytes: Uint8Array) => void;
  readonly onError: (bytes: Uint8Array) => void;
  /** Bytes of memory that one process of it may have. */
  readonly memory: number;
}

/** How a program ended. */
export interface WorkEnd {
  /** null where a signal ended it, or it could not be started. */
  readonly code: number | null;
  /** Why it could not be started; null where it could. */
  readonly problem: string | null;
}

/** A program at work. */
export interface RunningWork {
  readonly end: Promise<WorkEnd>;
  /** Asks it to end in order. */
  stop(): void;
  /** Ends it and all that it started, at once. */
  kill(): void;
  /** What it and all that it started use now. */
  usage(): Promise<Usage>;
}

/** Runs the programs of runs, each with nothing but what it is given. */
export interface Executor {
  readonly name: string;
  start(work: Work): RunningWork;
}
