import { spawn, type ChildProcess } from 'node:child_process';

/** How a program ended, and all that it said. */
export interface ProgramEnd {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams as they came. */
  readonly output: string;
  readonly milliseconds: number;
}

/** What runs now, so that one listener at this process's end is enough for all of it. */
const RUNNING = new Set<ChildProcess>();

function killAll(): void {
  for (const child of RUNNING) child.kill('SIGKILL');
}

/** A program while it runs. It is killed when this process ends first. */
export class RunningProgram {
  /** Resolves once it has ended and its output is read to the end; never rejects once the program runs. */
  readonly end: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #output = '';

  constructor(
    program: string,
    parameters: readonly string[],
    options: { cwd: string; env: Readonly<Record<string, string | undefined>>; input?: string },
  ) {
    const began = performance.now();
    const child = spawn(program, parameters, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    if (RUNNING.size === 0) process.once('exit', killAll);
    RUNNING.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#output += text;
    });
    // A program that reads nothing may be gone before its input is written.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    this.end = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        RUNNING.delete(child);
        if (RUNNING.size === 0) process.off('exit', killAll);
        const [stdout, stderr, output] = [this.#stdout, this.#stderr, this.#output];
        resolve({ code, signal, stdout, stderr, output, milliseconds: performance.now() - began });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** What it has said so far, on both streams. */
  get output(): string {
    return this.#output;
  }

  /** What it has said so far on its standard output. */
  get stdout(): string {
    return this.#stdout;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
