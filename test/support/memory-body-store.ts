import type { BodyStore, ObjectPage } from '../../src/ports/body-store.ts';
import { EngineFault } from '../../src/ports/engine.ts';

const PAGE = 5;

/** A store of bodies in memory, whose insides can be looked at and spoilt. */
export class MemoryBodyStore implements BodyStore {
  readonly place: string = 'memory://bodies';
  readonly objects: Map<string, { bytes: Uint8Array; at: number }> = new Map();
  /** What it does before each put: waits, or throws. */
  beforePut: (name: string) => Promise<void> = async () => undefined;
  isDown = false;
  now: () => number = Date.now;

  /** The names of bodies. */
  get bodies(): readonly string[] {
    return [...this.objects.keys()].filter((name) => name !== 'statehouse-mark').toSorted();
  }

  async put(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    this.#answer();
    await this.beforePut(name);
    this.objects.set(name, { bytes: Buffer.concat(pieces), at: this.now() });
  }

  async get(name: string, from: number, length: number): Promise<Uint8Array | null> {
    this.#answer();
    return this.objects.get(name)?.bytes.subarray(from, from + length) ?? null;
  }

  async delete(name: string): Promise<void> {
    this.#answer();
    this.objects.delete(name);
  }

  async list(from: string | null): Promise<ObjectPage> {
    this.#answer();
    const rest = [...this.objects.keys()].toSorted().filter((name) => name > (from ?? ''));
    const names = rest.slice(0, PAGE);
    const objects = names.map((name) => {
      const { bytes, at } = this.objects.get(name) ?? { bytes: Buffer.alloc(0), at: 0 };
      return { name, size: bytes.length, at };
    });
    return { objects, next: rest.length > PAGE ? (names.at(-1) ?? null) : null, now: this.now() };
  }

  #answer(): void {
    if (this.isDown) throw new EngineFault(`${this.place} does not answer`, { busy: true });
  }
}
