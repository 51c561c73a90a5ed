import { nextInTurn, type RunInLine } from '../core/runs/line.ts';

interface Waiting extends RunInLine {
  readonly start: () => void;
}

/** So many phases are executed at a time on a node; whose turn is next is the rules' to say. */
export class Slots {
  readonly #max: number;
  #taken = 0;
  #waiting: Waiting[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** How many phases are executed now. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Waits for a slot.
   * @param gone aborted when the run needs none any more
   * @returns a function that gives it back; null when it was not waited for
   */
  async take(run: RunInLine, gone: AbortSignal): Promise<(() => void) | null> {
    if (gone.aborted) return null;
    const isGiven = await new Promise<boolean>((resolve) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        resolve(false);
      };
      const waiting: Waiting = {
        ...run,
        start: () => {
          gone.removeEventListener('abort', leave);
          resolve(true);
        },
      };
      gone.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
      this.#serve();
    });
    if (!isGiven) return null;
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      this.#taken -= 1;
      this.#serve();
    };
  }

  #serve(): void {
    while (this.#taken < this.#max) {
      const next = nextInTurn(this.#waiting);
      if (next === null) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.#taken += 1;
      next.start();
    }
  }
}
