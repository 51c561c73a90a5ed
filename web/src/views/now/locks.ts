import { signal, type ReadonlySignal } from '@preact/signals';
import type { ApiError } from '../../../../src/api/error.ts';
import type { HolderShape, LockShape } from '../../../../src/api/shapes/lock.ts';
import { api, asApiError } from '../../api.ts';
import { onEvent, type LiveEvent } from '../../live.ts';

/** A lock as it was read, and when: its ages are as of then. */
export interface SeenLock {
  readonly lock: LockShape;
  /** By the browser's steady clock, in milliseconds. */
  readonly readAt: number;
}

/** What is known of the locks that are held. */
export interface Locks {
  readonly known: boolean;
  readonly error: ApiError | null;
  readonly byAddress: ReadonlyMap<string, SeenLock>;
  /** There are more than are read. */
  readonly more: boolean;
}

/** The most locks that are followed; whoever has more narrows them by project. */
const LOCKS_MAX = 2_000;
/** How long to wait before what could not be read is read again. */
const RETRY_MS = 1_000;
/** How long after a grant, and again while its answer is not acknowledged, a lock is looked at anew. */
const UNHEARD_MS = 4_000;
/** With more changes at once than these, everything is read again. */
const SINGLE_READS_MAX = 20;

const CONCERNS = /^(?:lock|waiter)-|^state-purged$/;

/** Follows the locks that are held: reads them all, and each one again when an event says that it changed. */
export class LockWatch {
  readonly #state = signal<Locks>({ known: false, error: null, byAddress: new Map(), more: false });
  readonly #project: string;
  readonly #changed = new Set<string>();
  #wantsAll = false;
  #reading = false;
  #closed = false;
  #end: () => void;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** @param project "" for all */
  constructor(project: string) {
    this.#project = project;
    this.#end = onEvent((event) => this.#hear(event));
    // What is so now is shown even while no stream can be had.
    if (!this.#wantsAll) this.again();
  }

  get locks(): ReadonlySignal<Locks> {
    return this.#state;
  }

  again(): void {
    clearTimeout(this.#retry);
    this.#wantsAll = true;
    void this.#readOn();
  }

  close(): void {
    this.#end();
    clearTimeout(this.#retry);
    clearTimeout(this.#later);
    this.#closed = true;
    this.#end = () => undefined;
  }

  #hear({ name, address }: LiveEvent): void {
    if (name === 'ready' || name === 'reset') this.#wantsAll = true;
    else if (CONCERNS.test(name)) this.#changed.add(address);
    else return;
    void this.#readOn();
  }

  /** One at a time: what changes meanwhile is read next. */
  async #readOn(): Promise<void> {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    try {
      while (this.#wantsAll || this.#changed.size > 0) {
        const changed = [...this.#changed];
        this.#changed.clear();
        if (this.#wantsAll || changed.length > SINGLE_READS_MAX) await this.#readAll();
        else await Promise.all(changed.map((address) => this.#readOne(address)));
      }
      this.#lookLater();
    } catch (fault) {
      this.#state.value = { ...this.#state.value, known: true, error: asApiError(fault) };
      this.#retry = setTimeout(() => this.again(), RETRY_MS);
    } finally {
      this.#reading = false;
    }
  }

  /** No event tells whether a client has heard of its grant. */
  #lookLater(): void {
    const open = [...this.#state.value.byAddress].filter(([, { lock }]) => lock.holders.some(isOpen));
    clearTimeout(this.#later);
    if (open.length === 0) return;
    this.#later = setTimeout(() => {
      for (const [address] of open) this.#changed.add(address);
      void this.#readOn();
    }, UNHEARD_MS);
  }

  async #readAll(): Promise<void> {
    this.#wantsAll = false;
    const query = this.#project === '' ? {} : { project: this.#project };
    const { items, more } = await api.list('list-locks', query, LOCKS_MAX);
    const readAt = performance.now();
    const byAddress = new Map(items.map((lock) => [lock.address, { lock, readAt }]));
    this.#state.value = { known: true, error: null, byAddress, more };
  }

  async #readOne(address: string): Promise<void> {
    if (this.#project !== '' && !address.startsWith(`${this.#project}/`)) return;
    const lock = await api.ask('show-lock', { query: { address } });
    const byAddress = new Map(this.#state.value.byAddress);
    if (lock.holders.length + lock.waiters.length === 0) byAddress.delete(address);
    else byAddress.set(address, { lock, readAt: performance.now() });
    this.#state.value = { ...this.#state.value, error: null, byAddress };
  }
}

function isOpen({ heldMs, unheard }: HolderShape): boolean {
  return unheard !== false || heldMs < UNHEARD_MS;
}
