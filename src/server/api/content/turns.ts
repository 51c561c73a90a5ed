export type NoTurn =
  /** The client went away before it had its turn. */
  | { readonly type: 'gone' }
  /** Too many wait already, of all subjects. */
  | { readonly type: 'busy' }
  /** Too many of this subject wait already. */
  | { readonly type: 'too-many'; readonly limit: number };

export interface TurnLimits {
  readonly waitingMax: number;
  readonly waitingOfSubjectMax: number;
}

type Start = (first: { readonly type: 'turn' } | NoTurn) => void;

/**
 * One piece of work at a time, and each subject in its turn: a subject that asks much waits for itself alone. Whoever waits
 * leaves when its client goes away.
 */
export class Turns {
  readonly #limits: TurnLimits;
  /** Who waits, by subject; the subject that has waited longest for a turn stands first. */
  readonly #lines = new Map<string, Start[]>();
  #waiting = 0;
  #running = false;
  #last = '';

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Does a piece of work when its turn comes. Faults of the work are its caller's. */
  async take<T extends object>(
    subject: string,
    gone: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T | NoTurn> {
    const start = await this.#wait(subject, gone);
    if (start.type !== 'turn') return start;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  async #wait(subject: string, gone: AbortSignal): Promise<{ readonly type: 'turn' } | NoTurn> {
    if (gone.aborted) return { type: 'gone' };
    if (!this.#running) {
      this.#running = true;
      this.#last = subject;
      return { type: 'turn' };
    }
    const { waitingMax, waitingOfSubjectMax } = this.#limits;
    const line = this.#lines.get(subject) ?? [];
    if (line.length >= waitingOfSubjectMax) return { type: 'too-many', limit: waitingOfSubjectMax };
    if (this.#waiting >= waitingMax) return { type: 'busy' };
    return new Promise((resolve) => {
      const leave = (): void => this.#leave(subject, start);
      const start: Start = (first) => {
        gone.removeEventListener('abort', leave);
        resolve(first);
      };
      gone.addEventListener('abort', leave, { once: true });
      this.#lines.set(subject, line);
      line.push(start);
      this.#waiting += 1;
    });
  }

  #leave(subject: string, start: Start): void {
    const line = this.#lines.get(subject) ?? [];
    line.splice(line.indexOf(start), 1);
    if (line.length === 0) this.#lines.delete(subject);
    this.#waiting -= 1;
    start({ type: 'gone' });
  }

  /** Gives the turn to the first subject that has not just had it. */
  #next(): void {
    const subjects = [...this.#lines.keys()];
    const subject = subjects.find((one) => one !== this.#last) ?? subjects[0];
    const line = this.#lines.get(subject ?? '') ?? [];
    const start = line.shift();
    if (subject === undefined || start === undefined) {
      this.#running = false;
      return;
    }
    this.#lines.delete(subject);
    if (line.length > 0) this.#lines.set(subject, line);
    this.#waiting -= 1;
    this.#last = subject;
    start({ type: 'turn' });
  }
}
