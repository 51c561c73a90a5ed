/** Nodes of one search; each needs 11 bytes. */
const NODES_MAX = 16_777_216;

/** The texts that begin as a node does: from `low` until before `high` in their sorted list. */
interface Range {
  readonly low: number;
  readonly high: number;
}

const NONE: Range = { low: 0, high: 0 };

/**
 * Finds whether a text contains one of many others, by the automaton of Aho and Corasick (1975): in a time that grows with
 * the text alone, whatever is looked for. Nodes are numbered level by level, so that the children of a node stand beside
 * each other, in the order of their characters.
 */
export class TextSearch {
  /** The character that leads to a node. */
  readonly #characters: Uint16Array;
  /** The first child of each node; its last one stands before the first child of the next node. */
  readonly #children: Uint32Array;
  /** The node of the longest text that a node's text ends with; 0, the root, is the empty text. */
  readonly #fallbacks: Uint32Array;
  /** 1 where a text was found, so that nothing below is needed. */
  readonly #found: Uint8Array;
  #nodes = 1;

  /**
   * @param texts what is looked for; never the empty text
   * @param nodesMax bounds the memory. Where that is not enough, all texts are cut to one length, so that more is found and
   *   never less
   */
  constructor(texts: Iterable<string>, nodesMax: number = NODES_MAX) {
    const sorted = [...new Set(texts)].filter((text) => text !== '').sort();
    const size = Math.min(nodesMax, 1 + sorted.reduce((sum, { length }) => sum + length, 0));
    this.#characters = new Uint16Array(size);
    this.#children = new Uint32Array(size + 1);
    this.#fallbacks = new Uint32Array(size);
    this.#found = new Uint8Array(size);
    let level: readonly Range[] = [{ low: 0, high: sorted.length }];
    let first = 0;
    for (let depth = 0; level.length > 0; depth += 1) {
      const next = this.#addLevel(sorted, { level, first, depth });
      if (next === null) this.#endAt(level, first);
      first += level.length;
      level = next ?? [];
    }
    this.#children[this.#nodes] = this.#nodes;
  }

  /** Whether any of the texts stands in this one. */
  isIn(text: string): boolean {
    let node = 0;
    for (let at = 0; at < text.length; at += 1) {
      node = this.#follow(node, text.charCodeAt(at));
      if (this.#found[node] === 1) return true;
    }
    return false;
  }

  /** @returns the texts of each new node; null when there is no room for them */
  #addLevel(
    sorted: readonly string[],
    { level, first, depth }: { level: readonly Range[]; first: number; depth: number },
  ): readonly Range[] | null {
    const next: Range[] = [];
    for (const [index, range] of level.entries()) {
      const node = first + index;
      this.#children[node] = this.#nodes;
      let { low } = range;
      while (low < range.high) {
        if (this.#nodes === this.#characters.length) return null;
        const character = sorted[low]?.charCodeAt(depth) ?? 0;
        let high = low + 1;
        while (high < range.high && sorted[high]?.charCodeAt(depth) === character) high += 1;
        const ends = sorted[low]?.length === depth + 1;
        next.push(this.#addChild(node, character, ends) ? NONE : { low, high });
        low = high;
      }
    }
    return next;
  }

  /** Makes this level the last: whatever goes on below is found here. */
  #endAt(level: readonly Range[], first: number): void {
    this.#nodes = first + level.length;
    this.#children.fill(this.#nodes, first, this.#nodes);
    for (const [index, { low, high }] of level.entries()) if (low < high) this.#found[first + index] = 1;
  }

  /** @returns whether a text is found there */
  #addChild(parent: number, character: number, ends: boolean): boolean {
    const fallback = parent === 0 ? 0 : this.#follow(this.#fallbacks[parent] ?? 0, character);
    const node = this.#nodes;
    const found = ends || this.#found[fallback] === 1;
    this.#characters[node] = character;
    this.#fallbacks[node] = fallback;
    this.#found[node] = found ? 1 : 0;
    this.#nodes += 1;
    return found;
  }

  /** Where a character leads from a node. */
  #follow(from: number, character: number): number {
    for (let node = from; ; node = this.#fallbacks[node] ?? 0) {
      const child = this.#childOf(node, character);
      if (child !== 0 || node === 0) return child;
    }
  }

  /** @returns 0 when there is none */
  #childOf(node: number, character: number): number {
    let low = this.#children[node] ?? 0;
    const end = this.#children[node + 1] ?? 0;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#characters[middle] ?? 0) < character) low = middle + 1;
      else high = middle;
    }
    return low < end && this.#characters[low] === character ? low : 0;
  }
}
