import type { RunsVariable } from '../house/workspaces/variable-sets.ts';
import type { Configurations } from './configurations.ts';
import type { RunPart } from './records.ts';
import type { Run, RunBook } from './run-book.ts';

/** A variable of a workspace or of a set, with its value. */
export type PhaseVariable = Pick<RunsVariable, 'key' | 'category' | 'hcl' | 'value' | 'overrides'>;

/** What a phase of one run needs of what the server keeps, and what it keeps there. */
export interface PhaseStore {
  /** The configuration's archive; null when it is gone. */
  archive(): Promise<AsyncIterable<Uint8Array> | null>;
  /** What is set for the workspace. */
  variables(): Promise<readonly PhaseVariable[]>;
  /** What was kept beside the run; null when nothing was. */
  part(part: RunPart): Promise<Uint8Array | null>;
  putPart(part: RunPart, bytes: Uint8Array): Promise<void>;
}

/** What phases need that the server itself executes. */
export class BookStores {
  readonly #book: RunBook;
  readonly #configurations: Configurations;
  readonly #variables: (run: Run) => Promise<readonly PhaseVariable[]>;

  constructor(options: {
    book: RunBook;
    configurations: Configurations;
    /** What is set for the workspace of a run. */
    variables: (run: Run) => Promise<readonly PhaseVariable[]>;
  }) {
    this.#book = options.book;
    this.#configurations = options.configurations;
    this.#variables = options.variables;
  }

  of(run: Run): PhaseStore {
    return {
      archive: () => this.#configurations.archive(run.configuration),
      variables: () => this.#variables(run),
      part: (part) => this.#book.part(run.id, part),
      putPart: (part, bytes) => this.#book.putPart(run.id, part, bytes),
    };
  }
}
