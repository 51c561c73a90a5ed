/**
 * A process as its operating system sees it. Whatever comes to it goes through {@link Process.run}: nothing reaches one that was
 * killed, and one that is frozen gets it all when it goes on.
 */
export class Process {
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #backlog: (() => void)[] = [];

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  run(act: () => void): void {
    if (this.#state === 'running') act();
    else if (this.#state === 'frozen') this.#backlog.push(act);
  }

  /** What comes of some work, as the process hears of it. */
  hears<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      work.then(
        (value) => this.run(() => resolve(value)),
        (fault: unknown) => this.run(() => reject(fault as Error)),
      );
    });
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const act of backlog) this.run(act);
  }

  kill(): void {
    this.#state = 'dead';
    this.#backlog = [];
  }
}
