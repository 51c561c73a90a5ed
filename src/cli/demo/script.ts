import type { Terminal } from '../terminal.ts';

/** One step of the play. */
export interface Step {
  readonly who: string;
  readonly what: string;
}

/** Something that the house promises, and whether it was so. */
export interface Claim {
  readonly says: string;
  readonly held: boolean;
}

/** What happened in one act, for `--json`. */
export interface ActRecord {
  readonly title: string;
  readonly steps: readonly Step[];
  readonly claims: readonly Claim[];
  readonly milliseconds: number;
}

/** Tells one act as it is played, and keeps what was told. */
export class Script {
  readonly #terminal: Terminal;
  readonly #title: string;
  readonly #wide: number;
  readonly #steps: Step[] = [];
  readonly #claims: Claim[] = [];
  readonly #began: number = performance.now();

  /** @param wide columns for the names of those who act */
  constructor(terminal: Terminal, title: string, wide: number) {
    this.#terminal = terminal;
    this.#title = title;
    this.#wide = wide;
    this.#say();
    this.#say(terminal.colors.bold(title));
  }

  /** Tells what a person does. */
  tell(who: string, what: string): void {
    this.#steps.push({ who, what });
    this.#say(`  ${this.#terminal.colors.cyan(who.padEnd(this.#wide))}  ${what}`);
  }

  /** The words of a program, as it said them. */
  quote(words: string): void {
    if (words !== '') this.#say(`  ${' '.repeat(this.#wide)}  ${this.#terminal.colors.dim(`"${words}"`)}`);
  }

  /** What must be so now. */
  claim(says: string, held: boolean): void {
    this.#claims.push({ says, held });
    const { green, red } = this.#terminal.colors;
    this.#say(`  ${' '.repeat(this.#wide)}  ${held ? green('✓') : red('✗ this is not so:')} ${says}`);
  }

  end(): ActRecord {
    const milliseconds = Math.round(performance.now() - this.#began);
    return { title: this.#title, steps: this.#steps, claims: this.#claims, milliseconds };
  }

  #say(line = ''): void {
    if (!this.#terminal.json) this.#terminal.say(line);
  }
}
