import type { Operation } from '../../../src/contract/history-checker.ts';
import type { WireReply } from '../network/server-side.ts';
import type { VirtualTime } from '../time/virtual-time.ts';
import type { Input, Output } from './specification.ts';

type Send = () => Promise<WireReply | null>;

/** By what right a write is made. */
export type WriteClaim =
  | { readonly kind: 'named'; readonly lockId: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unnamed' };

/** What is known beside it. */
export interface HistoryWatch {
  /** Whether a state is stored. */
  readonly hasState: () => boolean;
  readonly saidAbsent: () => void;
}

/** What all clients asked and what they were answered: each attempt is an operation of its own. */
export class History {
  readonly operations: Operation<Input, Output>[] = [];
  readonly #time: VirtualTime;
  readonly #watch: HistoryWatch;

  constructor(time: VirtualTime, watch: HistoryWatch) {
    this.#time = time;
    this.#watch = watch;
  }

  lock(
    input: Extract<Input, { type: 'lock' }>,
    send: Send,
    isGranted: (reply: WireReply) => boolean,
  ): Promise<WireReply | null> {
    // Whoever was refused, or heard nothing, may have had the lock for a moment.
    return this.#note(input, send, (reply) => (isGranted(reply) ? 'granted' : certain(reply, 'refused')));
  }

  unlock(
    input: Extract<Input, { type: 'unlock' }>,
    send: Send,
    isDone: (reply: WireReply) => boolean,
  ): Promise<WireReply | null> {
    return this.#note(input, send, (reply) => (isDone(reply) ? 'released' : certain(reply, 'refused')));
  }

  write(
    input: Extract<Input, { type: 'write' }>,
    send: Send,
    isDone: (reply: WireReply) => boolean,
  ): Promise<WireReply | null> {
    return this.#note(input, send, (reply) => (isDone(reply) ? 'stored' : certain(reply, 'refused')));
  }

  /** @param seen the text of the state, null for none, undefined for an answer that tells nothing */
  read(send: Send, seen: (reply: WireReply) => string | null | undefined): Promise<WireReply | null> {
    const isThere = this.#watch.hasState();
    return this.#note({ type: 'read' }, send, (reply) => {
      const text = seen(reply);
      if (isThere && text === null) this.#watch.saidAbsent();
      return text === undefined ? null : text === null ? 'absent' : `found ${text}`;
    });
  }

  /** An operation that nobody was told the outcome of. */
  unheard(input: Input): void {
    this.operations.push({ input, output: null, began: this.#time.now, ended: Infinity });
  }

  async #note(
    input: Input,
    send: Send,
    outputOf: (reply: WireReply) => Output | null,
  ): Promise<WireReply | null> {
    const at = this.operations.push({ input, output: null, began: this.#time.now, ended: Infinity }) - 1;
    const reply = await send();
    const output = reply === null ? null : outputOf(reply);
    this.operations[at] = {
      ...(this.operations[at] as Operation<Input, Output>),
      output,
      ended: this.#time.now,
    };
    return reply;
  }
}

/** A fault says nothing of what was done. */
function certain(reply: WireReply, output: Output): Output | null {
  return reply.status >= 500 ? null : output;
}
