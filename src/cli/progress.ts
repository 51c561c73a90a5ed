import type { Terminal } from './terminal.ts';

export interface Progress {
  /** So many are done now, and this is what is being worked on. */
  step(done: number, doing: string): void;
  /** Takes the bar away. */
  end(): void;
}

const BAR_WIDTH = 24;

/** A bar for work of known size; shows nothing where stderr is not a terminal. */
export function startProgress(terminal: Terminal, total: number, what: string): Progress {
  return {
    step: (done, doing) => {
      const filled = total === 0 ? BAR_WIDTH : Math.round((BAR_WIDTH * Math.min(done, total)) / total);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
      terminal.status(`${what} ${bar} ${done}/${total} ${doing}`);
    },
    end: () => terminal.status(''),
  };
}
