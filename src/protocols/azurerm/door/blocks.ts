import { createHash } from 'node:crypto';
import type { Address } from '../../../core/address.ts';
import { formatAddress } from '../../../core/address.ts';
import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { Piece, Upload } from '../../../house/states/upload-records.ts';
import { PIECES_MAX } from '../../../house/states/uploads.ts';
import { refused, type AzureError } from './errors.ts';

/** What marks an upload that is made of blocks, and what a piece says of the block that it is. */
const BLOCKS = 'azurerm-blocks';
const BLOCK_ID = 'block';
/** Uploads, and lists of blocks that have become a version, that are remembered. */
const REMEMBERED_MAX = 1_000;

/** A list of blocks that has become a version, for a client that asks again. */
export interface Commit {
  readonly list: string;
  readonly version: number;
}

/**
 * Blocks that wait to be put together. Azure keeps them beside the blob, without an upload that has a name: here they are the pieces of
 * uploads that are theirs alone whose credential has sent them.
 */
export class Blocks {
  readonly #house: House;
  /** One beginning of an upload at a time: clients send many blocks at once. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #commits = new Map<string, Commit>();
  /** Blocks that have come for an upload, as far as this node has seen. */
  readonly #counts = new Map<string, number>();

  constructor(house: House) {
    this.#house = house;
  }

  /** Keeps a block, in the place of one of the same ID. */
  async put(
    caller: Caller,
    address: Address,
    blockId: string,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Piece | AzureError> {
    const upload = await this.#inTurn(caller, address, () => this.#current(caller, address));
    if ('code' in upload) return upload;
    const notes = (): Record<string, string> => ({ [BLOCK_ID]: blockId });
    const answer = await this.#house.uploads.put(caller, upload, numberOf(blockId), body, notes);
    if (answer.type === 'kept') return answer.piece;
    // It was put together, or given up, while this block came in.
    if (answer.type === 'absent') return { status: 409, code: 'OperationNotAllowed', message: GONE };
    return refused(answer);
  }

  /** The blocks of an address that its caller has sent, by their IDs, and the uploads that they are pieces of. */
  async find(
    caller: Caller,
    address: Address,
  ): Promise<
    { readonly uploads: readonly Upload[]; readonly blocks: ReadonlyMap<string, Piece> } | AzureError
  > {
    const uploads = await this.#open(caller, address);
    if ('code' in uploads) return uploads;
    const pieces = (await Promise.all(uploads.map((upload) => this.#house.uploads.pieces(upload)))).flat();
    const named = pieces
      .sort((a, b) => a.at - b.at)
      .flatMap((piece) => {
        const id = piece.notes?.[BLOCK_ID];
        return id === undefined ? [] : [[id, piece] as const];
      });
    return { uploads, blocks: new Map(named) };
  }

  committed(caller: Caller, address: Address, commit: Commit): void {
    remember(this.#commits, nameOf(caller, address), commit);
  }

  /** What the last list of blocks of a caller has become here; null where that was another list, or another node. */
  lastCommit(caller: Caller, address: Address, list: string): Commit | null {
    const commit = this.#commits.get(nameOf(caller, address));
    return commit?.list === list ? commit : null;
  }

  /** The upload that takes the next block. */
  async #current(caller: Caller, address: Address): Promise<Upload | AzureError> {
    const uploads = await this.#open(caller, address);
    if ('code' in uploads) return uploads;
    const [upload] = uploads;
    if (upload !== undefined) {
      const count = this.#counts.get(upload.id) ?? (await this.#house.uploads.pieces(upload)).length;
      if (count < PIECES_MAX) return this.#counted(upload, count + 1);
      return {
        status: 409,
        code: 'BlockCountExceedsLimit',
        message: `a blob has at most ${PIECES_MAX} blocks here: send larger ones`,
      };
    }
    const begun = await this.#house.uploads.begin(caller, address, { kind: BLOCKS });
    return begun.type === 'begun' ? this.#counted(begun.upload, 1) : refused(begun);
  }

  #counted(upload: Upload, count: number): Upload {
    remember(this.#counts, upload.id, count);
    return upload;
  }

  async #open(caller: Caller, address: Address): Promise<readonly Upload[] | AzureError> {
    const refusal = await this.#house.locks.refuse(caller, 'write', address);
    if (refusal !== null) return refused(refusal);
    const answer = await this.#house.uploads.list(caller, address.project);
    if (answer.type !== 'uploads') return refused(answer);
    const here = formatAddress(address);
    return answer.uploads.filter(
      ({ subject, notes, address: of }) =>
        subject === caller.identity.subject && notes?.['kind'] === BLOCKS && formatAddress(of) === here,
    );
  }

  async #inTurn<T>(caller: Caller, address: Address, work: () => Promise<T>): Promise<T> {
    const name = nameOf(caller, address);
    const mine = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    const turn = mine.catch(() => undefined);
    this.#turns.set(name, turn);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }
}

const GONE = 'the blocks of this blob were put together or given up while this one came in: send it again';

/** A piece has a number, a block an ID of the client's: the number is drawn from it, so that the same block is the same piece. */
function numberOf(blockId: string): number {
  return createHash('sha256').update(blockId).digest().readUIntBE(0, 6) + 1;
}

function nameOf({ identity }: Caller, address: Address): string {
  return `${identity.subject}\n${formatAddress(address)}`;
}

function remember<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED_MAX && oldest !== undefined) map.delete(oldest);
}
