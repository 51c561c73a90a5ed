import { expect } from 'vitest';
import type { Engine } from '../../src/ports/engine.ts';

/** What it takes to look at what is there. */
export type Sight = Pick<Engine, 'world' | 'versions' | 'body'>;

/** What one caller was told last: all of it must be there, and of what comes next nothing, or the next step whole. */
interface Told {
  deed: string;
  version: number;
  lockId: string;
}

/** Remembers what the callers of `sqlite-callers.mjs` were told, and holds the engine to it. */
export class Acknowledged {
  answers = 0;
  readonly #told = new Map<string, Told>();

  /** Takes what the process has said, as far as the lines are whole. */
  hear(text: string): void {
    for (const line of text.split('\n').slice(0, -1)) this.#hearLine(line);
  }

  /** Everything that was answered is there, and what was not answered is there whole or not at all. */
  async verify(engine: Sight): Promise<void> {
    for (const [name, told] of this.#told) {
      const address = { project: 'crash', key: name, workspace: 'default' };
      const { record, holders } = await engine.world(address);
      const versions = await engine.versions(address, { limit: 5 });
      expect([told.version, told.version + 1], `${name}: versions`).toContain(record.lastVersion);
      expect(record.head?.number ?? 0).toBe(record.lastVersion);
      expect(versions.map(({ number }) => number)).toEqual(newest(record.lastVersion));
      const held = holders.map(({ lockId }) => lockId);
      if (told.deed === 'locked') expect(held, `${name}: holder`).toEqual([told.lockId]);
      else expect(record.lastVersion, `${name}: versions`).toBe(told.version);
      if (told.deed === 'wrote') expect([[], [told.lockId]]).toContainEqual(held);
      expect(held.length, `${name}: holders`).toBeLessThanOrEqual(1);
      for (const { bodyId, number } of versions) {
        const body = await engine.body(bodyId);
        const sizes: number[] = [];
        for await (const segment of body?.segments() ?? []) sizes.push(segment.length);
        expect(sizes).toEqual([`${name} ${number}`.length, ((number * 997) % 5) * 6_000 + 1]);
      }
    }
  }

  /** The next process goes on from what is there, also from what was not answered any more. */
  async goOn(engine: Sight): Promise<void> {
    for (const [name, told] of this.#told) {
      const { record, holders } = await engine.world({ project: 'crash', key: name, workspace: 'default' });
      told.version = record.lastVersion;
      told.deed = holders.length === 0 ? 'unlocked' : 'locked';
      told.lockId = holders[0]?.lockId ?? '';
    }
  }

  #hearLine(line: string): void {
    const [name = '', deed, what = ''] = line.split(' ');
    if (deed === undefined) return;
    const told = this.#told.get(name) ?? { deed: '', version: 0, lockId: '' };
    this.#told.set(name, told);
    this.answers += 1;
    told.deed = deed;
    if (deed === 'wrote') {
      // A version that is numbered anew was lost in between, however well the rest goes together.
      expect(Number(what), `${name}: the version after ${told.version}`).toBe(told.version + 1);
      told.version = Number(what);
    } else {
      told.lockId = what;
    }
  }
}

function newest(last: number): number[] {
  return Array.from({ length: Math.min(5, last) }, (_, index) => last - index);
}
