import { dirname } from 'node:path';
import type { Deed } from './recording.ts';

/** How much of what was not flushed is on the disk after the power is cut. */
export const CUTS = ['none', 'all', 'some', 'torn'] as const;
export type Cut = (typeof CUTS)[number];

/** Disks write whole sectors; a larger write may be on the disk in part. */
const SECTOR_BYTES = 512;

/** What a file is on the platter, and what was done to it since it was flushed last. */
interface Inode {
  flushed: Buffer;
  pending: Deed[];
}

/**
 * A disk that keeps only what it was told to flush. Follows a recording, deed by deed, and says what could be found on it
 * if the power were cut now: of what was not flushed, nothing, all, or any part in any order. A name too is only there for
 * certain once its directory was flushed.
 */
export class Disk {
  #names = new Map<string, Inode>();
  #flushedNames = new Map<string, Inode>();
  readonly #isDeafTo: (path: string) => boolean;

  /** @param isDeafTo the files that a disk that lies says it has flushed, and has not */
  constructor(isDeafTo: (path: string) => boolean = () => false) {
    this.#isDeafTo = isDeafTo;
  }

  follow(deed: Deed): void {
    const { type, path } = deed;
    const inode = this.#names.get(path);
    switch (type) {
      case 'create':
        this.#names.set(path, { flushed: Buffer.alloc(0), pending: [] });
        break;
      case 'unlink':
        this.#names.delete(path);
        break;
      case 'rename':
        this.#names.delete(path);
        if (inode !== undefined) this.#names.set(deed.data.toString(), inode);
        break;
      case 'write':
      case 'truncate':
        inode?.pending.push(deed);
        break;
      case 'flush':
        if (!this.#isDeafTo(path)) this.#flush(path, inode);
        break;
    }
  }

  /** What is found on the disk after a cut. @param chance draws a number from 0 up to 1 */
  cut(how: Cut, chance: () => number): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    const keeps = (): boolean => how === 'all' || (how !== 'none' && chance() < 0.5);
    for (const path of new Set([...this.#flushedNames.keys(), ...this.#names.keys()])) {
      const inode = (keeps() ? this.#names : this.#flushedNames).get(path);
      if (inode === undefined) continue;
      const kept = inode.pending.flatMap((deed) =>
        how === 'torn' ? sectorsOf(deed).filter(() => chance() < 0.5) : keeps() ? [deed] : [],
      );
      found.set(path, replay(inode.flushed, kept));
    }
    return found;
  }

  #flush(path: string, inode: Inode | undefined): void {
    if (inode !== undefined) {
      inode.flushed = replay(inode.flushed, inode.pending);
      inode.pending = [];
      return;
    }
    const isInside = (name: string): boolean => dirname(name) === path;
    const outside = [...this.#flushedNames].filter(([name]) => !isInside(name));
    const inside = [...this.#names].filter(([name]) => isInside(name));
    this.#flushedNames = new Map([...outside, ...inside]);
  }
}

/** A file after these deeds, in a buffer of its own: what was flushed is looked at again by the cuts to come. */
function replay(flushed: Buffer, deeds: readonly Deed[]): Buffer {
  const longest = deeds.reduce(
    (most, { offset, data }) => Math.max(most, offset + data.length),
    flushed.length,
  );
  const content = Buffer.alloc(longest);
  flushed.copy(content);
  let length = flushed.length;
  for (const { type, offset, data } of deeds) {
    if (type === 'truncate') {
      content.fill(0, offset);
      length = offset;
    } else {
      data.copy(content, offset);
      length = Math.max(length, offset + data.length);
    }
  }
  return content.subarray(0, length);
}

/** A write as the sectors that it comes to; anything else is done whole or not at all. */
function sectorsOf(deed: Deed): Deed[] {
  if (deed.type !== 'write') return [deed];
  const starts = Array.from(
    { length: Math.ceil(deed.data.length / SECTOR_BYTES) },
    (_, index) => index * SECTOR_BYTES,
  );
  return starts.map((from) => ({
    ...deed,
    offset: deed.offset + from,
    data: deed.data.subarray(from, from + SECTOR_BYTES),
  }));
}
