import type { VirtualTime } from './virtual-time.ts';

const PRIME_A = 0x01000193;
const PRIME_B = 0x85ebca6b;

/** What happened, in order. Its digest tells whether two simulations were the same; its lines are kept only to be read. */
export class Trace {
  readonly lines: string[] = [];
  readonly #time: VirtualTime;
  readonly #isKept: boolean;
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  constructor(time: VirtualTime, isKept: boolean) {
    this.#time = time;
    this.#isKept = isKept;
  }

  note(who: string, what: string): void {
    const line = `${this.#time.now.toFixed(1)} ${who} ${what}`;
    for (let at = 0; at < line.length; at += 1) {
      const code = line.charCodeAt(at);
      this.#a = Math.imul(this.#a ^ code, PRIME_A);
      this.#b = Math.imul(this.#b ^ code, PRIME_B) ^ (this.#b >>> 15);
    }
    if (this.#isKept) this.lines.push(line);
  }

  /** Equal for equal traces, and for others by a chance of one in 2^64. */
  get digest(): string {
    return [this.#a, this.#b].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
