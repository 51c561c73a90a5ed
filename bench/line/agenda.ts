import type { Instant, Milliseconds } from '../../src/core/instant.ts';

interface Appointment {
  readonly at: Instant;
  readonly order: number;
  act: (() => void) | null;
}

/** Virtual time: what is to happen, in the order of its moments. Nothing waits; the clock jumps to the next moment. */
export class Agenda {
  #now: Instant = 0;
  #order = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: Appointment[] = [];

  get now(): Instant {
    return this.#now;
  }

  /** @returns cancels it */
  after(delay: Milliseconds, act: () => void): () => void {
    const appointment: Appointment = { at: this.#now + delay, order: (this.#order += 1), act };
    this.#push(appointment);
    return () => {
      appointment.act = null;
    };
  }

  /** Goes on until nothing is left to happen, or a moment has come. */
  runUntil(end: Instant): void {
    while (this.step(end));
  }

  /** Has the next thing happen. @returns false where nothing is left to happen until a moment */
  step(end: Instant): boolean {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#pop();
      // What was cancelled takes no time.
      if (next.act === null) continue;
      this.#now = next.at;
      next.act();
      return true;
    }
    return false;
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let index = heap.push(appointment) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isEarlier(heap[parent] as Appointment, appointment)) break;
      heap[index] = heap[parent] as Appointment;
      index = parent;
    }
    heap[index] = appointment;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const least =
        right < heap.length && isEarlier(heap[right] as Appointment, heap[left] as Appointment)
          ? right
          : left;
      if (isEarlier(last, heap[least] as Appointment)) break;
      heap[index] = heap[least] as Appointment;
      index = least;
    }
    heap[index] = last;
  }
}

function isEarlier(a: Appointment, b: Appointment): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
