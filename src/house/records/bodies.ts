import type { SealedBody } from '../../core/command.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { BodyPacker, openSegments } from '../states/segments.ts';

/** The bodies that records have: sealed, so that a change of the master key takes them along. */
export class RecordBodies {
  readonly #engine: Pick<Engine, 'body'>;
  readonly #sealer: Sealer;
  readonly #entropy: Entropy;

  constructor(options: { engine: Pick<Engine, 'body'>; sealer: Sealer; entropy: Entropy }) {
    this.#engine = options.engine;
    this.#sealer = options.sealer;
    this.#entropy = options.entropy;
  }

  /** A body that is to be put with a record, once all of it has come. */
  begin(): BodyPacker {
    return new BodyPacker(this.#entropy.uuid(), this.#sealer);
  }

  seal(plain: Uint8Array): SealedBody {
    const packer = this.begin();
    packer.push(plain);
    return packer.finish();
  }

  /** The bytes of a body, piece by piece; null when it is gone. */
  async open(bodyId: string): Promise<AsyncIterable<Uint8Array> | null> {
    const stored = await this.#engine.body(bodyId);
    const again = (id: string): ReturnType<Engine['body']> => this.#engine.body(id);
    return stored === null ? null : openSegments(stored, this.#sealer, again);
  }

  /** All of a body that is small; null when it is gone. */
  async read(bodyId: string): Promise<Uint8Array | null> {
    const pieces = await this.open(bodyId);
    if (pieces === null) return null;
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    return Buffer.concat(all);
  }
}
