import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SealError, type Sealer } from '../../ports/sealer.ts';
import { INDEX_WORD_BYTES } from '../../ports/state-index.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { INDEX_KIND } from '../records/kinds.ts';

/** What is in an index that this program makes: one of another form is made anew. */
const FORM = 1;

/** How far the index is, and by which key its words are made. */
export interface IndexState {
  readonly form: number;
  /** The master key under which it was made: with another one it is made anew, so that no former one opens anything of it. */
  readonly keyId: string;
  /** The key of the words, sealed, in base64. */
  readonly sealedKey: string;
  /** Changes up to this position of the feed are in it. */
  readonly position: number;
  /** States up to this one are in it; null once all that there were are. */
  readonly builtTo: string | null;
  /** The node that keeps it, until when; another one may from then on. */
  readonly node: string;
  readonly until: number;
}

export const INDEX_RECORDS: RecordDefinition<IndexState> = defineRecords<IndexState>(
  INDEX_KIND,
  z.object({
    form: z.number(),
    keyId: z.string(),
    sealedKey: z.string(),
    position: z.number(),
    builtTo: z.string().nullable(),
    node: z.string(),
    until: z.number(),
  }),
);
/** The one record. */
export const INDEX_RECORD = 'index';
const KEY_CONTEXT = 'index words';

/** What the words of an index are made with. */
export class IndexKey {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** A new one, and as it is stored. */
  static make(sealer: Sealer): Pick<IndexState, 'form' | 'keyId' | 'sealedKey'> {
    const sealed = sealer.seal(randomBytes(32), KEY_CONTEXT);
    return { form: FORM, keyId: sealer.keyId, sealedKey: Buffer.from(sealed).toString('base64') };
  }

  /** The key of a stored index; null where this program, with its master key, would make it anew. */
  static open(sealer: Sealer, { form, keyId, sealedKey }: IndexState): IndexKey | null {
    if (form !== FORM || keyId !== sealer.keyId) return null;
    try {
      return new IndexKey(sealer.open(Buffer.from(sealedKey, 'base64'), KEY_CONTEXT));
    } catch (fault) {
      if (fault instanceof SealError) return null;
      throw fault;
    }
  }

  /** The word that stands for a text. @param of what kind of text it is */
  word(of: 'term' | 'terraform' | 'writer' | 'reads', text: string): Uint8Array {
    const code = createHmac('sha256', this.#key).update(`${of}\0${text}`).digest();
    return code.subarray(0, INDEX_WORD_BYTES);
  }
}
