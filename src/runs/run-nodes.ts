import type { Milliseconds } from '../core/instant.ts';
import type { House } from '../house/house.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { RUN_NODES } from './records.ts';
import type { Run, RunBook } from './run-book.ts';

/** How often a node says that it looks after its runs, and after how long it is taken for gone. */
const BEAT: Milliseconds = 5_000;
const GONE: Milliseconds = 30_000;

/** Says that this node looks after its runs, and finds those that nobody looks after. */
export class RunNodes {
  readonly #house: House;
  readonly #book: RunBook;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #adopt: (run: Run) => Promise<void>;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(
    options: { house: House; book: RunBook; clock: Clock; log: Log },
    { adopt }: { adopt: (run: Run) => Promise<void> },
  ) {
    this.#house = options.house;
    this.#book = options.book;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#adopt = adopt;
  }

  async start(): Promise<void> {
    if (this.#house.about.manyNodes) {
      await this.#beat();
      this.#later();
    } else await this.#takeOver(new Set());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#clock.after(BEAT, () => {
      this.#beat()
        .catch((fault: unknown) => this.#log.warn('runs could not be looked after', { fault: String(fault) }))
        .finally(() => this.#later());
    });
  }

  async #beat(): Promise<void> {
    const nodes = this.#house.records(RUN_NODES);
    const now = await this.#house.now();
    await nodes.put(null, this.#house.node, { seenAt: now });
    const all = await nodes.list();
    const gone = all.filter(({ record }) => now - record.seenAt > GONE).map(({ name }) => name);
    await this.#takeOver(new Set(all.map(({ name }) => name).filter((name) => !gone.includes(name))));
    await nodes.drop(null, ...gone);
  }

  /** Takes the runs over of nodes that are not among the living ones. Of two nodes that try, one gets a run. */
  async #takeOver(living: ReadonlySet<string>): Promise<void> {
    for (const run of await this.#book.unfinished()) {
      if (run.node === this.#house.node || living.has(run.node)) continue;
      const mine = await this.#book.adopt(run, this.#house.node);
      if (mine !== null) await this.#adopt(mine);
    }
  }
}
