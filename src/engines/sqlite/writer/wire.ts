import type { SealedBody, WriteCommand } from '../../../core/command.ts';
import type { Effect } from '../../../core/effect.ts';
import { EngineFault, type Command } from '../../../ports/engine.ts';
import type { Resealed } from '../../../ports/sealed-anew.ts';
import { INDEX_WORD_BYTES } from '../../../ports/state-index.ts';
import type { Batch, BatchDone } from './writer.ts';

/** A batch has at most so much, so that a transaction which takes one more while it has less stays below twice that. */
export const BATCH_COMMANDS_MAX = 128;
export const BATCH_BYTES_MAX: number = 16 * 1024 * 1024;

type PutEntry = Extract<Command, { type: 'put-entry' }>;

/** What the writer thread is started with. */
export interface WriterData {
  readonly databasePath: string;
  /** The key of the rows. */
  readonly rowKey: Uint8Array;
  /** The files that nobody may remove or replace meanwhile. */
  readonly watched: readonly string[];
}

export type ToWriter = (Batch & { readonly bytes: number }) | 'close';

export type FromWriter =
  | { readonly done: readonly BatchDone[] }
  /** The writer has stopped, and says why. */
  | { readonly fatal: string };

/** Below this a copy costs less than handing the buffer over. */
const HANDED_OVER_BYTES_MIN = 64 * 1024;
/** What a command weighs besides its bytes. */
const COMMAND_BYTES = 512;
const NONE: readonly ArrayBuffer[] = [];

/** A command as it can be posted to the writer. */
export interface PackedCommand {
  readonly command: Command;
  readonly bytes: number;
  /** What is not copied on the way, and is gone here afterwards. */
  readonly handedOver: readonly ArrayBuffer[];
}

/**
 * Makes a command fit to be posted: a small view into a shared pool would drag the whole pool along, so it is copied;
 * a large segment that owns its buffer is handed over without a copy.
 */
export function pack(command: Command): PackedCommand {
  switch (command.type) {
    case 'lock':
      return packed({ ...command, info: ownedOrNull(command.info) }, command.info?.length ?? 0);
    case 'describe':
      return packed({ ...command, info: owned(command.info) }, command.info.length);
    case 'write':
      return withBody(command, command.body);
    case 'put-entry':
      return command.body === undefined ? packed(command, 0) : withBody(command, command.body);
    case 'put-credential': {
      const { credential } = command;
      const sealedSecret = owned(credential.sealedSecret);
      return packed({ ...command, credential: { ...credential, sealedSecret } }, sealedSecret.length);
    }
    case 'reseal':
      return packed(
        { ...command, items: command.items.map(packResealed) },
        command.items.length * COMMAND_BYTES,
      );
    case 'replace-bodies': {
      const bodies = command.bodies.map(({ body, replaces }) => ({
        body: packBody(body),
        replaces: owned(replaces),
      }));
      const segments = bodies.flatMap(({ body }) => body.segments);
      const bytes = segments.reduce((sum, { length }) => sum + length, COMMAND_BYTES * bodies.length);
      return { command: { ...command, bodies }, bytes, handedOver: NONE };
    }
    case 'adopt': {
      const packedEffects = command.effects.map(packEffect);
      return {
        command: { ...command, effects: packedEffects.map(({ effect }) => effect) },
        bytes: packedEffects.reduce((sum, { bytes }) => sum + bytes, 0) + COMMAND_BYTES,
        handedOver: NONE,
      };
    }
    case 'put-index': {
      const { row, words } = command;
      const bytes = row.sealed.length + words.length * 2 * INDEX_WORD_BYTES;
      return packed(
        { ...command, row: { ...row, sealed: owned(row.sealed) }, words: words.map(owned) },
        bytes,
      );
    }
    case 'park-over':
    case 'leave':
    case 'accept':
    case 'unlock':
    case 'renew':
    case 'expire':
    case 'delete':
    case 'undelete':
    case 'prune':
    case 'retain':
    case 'purge':
    case 'change-credential':
    case 'drop-credentials':
    case 'drop-entry':
    case 'drop-index':
    case 'forget-objects':
    case 'audit':
    case 'prune-audit':
      return packed(command, 0);
  }
}

function packEffect(effect: Effect): { effect: Effect; bytes: number } {
  switch (effect.type) {
    case 'put-version': {
      const body = packBody(effect.body);
      const bytes = body.segments.reduce((sum, { length }) => sum + length, 0);
      return { effect: { ...effect, body }, bytes };
    }
    case 'put-holder':
      return {
        effect: { ...effect, holder: { ...effect.holder, info: ownedOrNull(effect.holder.info) } },
        bytes: 0,
      };
    case 'put-place':
      return {
        effect: { ...effect, place: { ...effect.place, info: ownedOrNull(effect.place.info) } },
        bytes: 0,
      };
    case 'put-record':
    case 'drop-versions':
    case 'drop-all':
    case 'drop-holder':
    case 'drop-place':
    case 'put-release':
    case 'drop-releases':
    case 'audit':
      return { effect, bytes: 0 };
  }
}

function packed(command: Command, bytes: number): PackedCommand {
  return { command, bytes: bytes + COMMAND_BYTES, handedOver: NONE };
}

function withBody(command: WriteCommand | PutEntry, sealed: SealedBody): PackedCommand {
  const body = packBody(sealed);
  const bytes = body.segments.reduce((sum, { length }) => sum + length, 0);
  const large = body.segments.filter(({ length }) => length >= HANDED_OVER_BYTES_MIN);
  const handedOver = large.map(({ buffer }) => buffer as ArrayBuffer);
  return { ...packed({ ...command, body }, bytes), handedOver };
}

function packBody(body: SealedBody): SealedBody {
  // Nothing sealed is empty; a segment that was handed over before looks so, and must not be kept like that.
  if (body.segments.some(({ length }) => length === 0)) {
    throw new EngineFault('a segment of a body is empty: a body can be given to the engine only once');
  }
  return { ...body, wrappedKey: owned(body.wrappedKey), segments: body.segments.map(owned) };
}

function packResealed(item: Resealed): Resealed {
  return item.kind === 'body'
    ? {
        ...item,
        wrappedKey: owned(item.wrappedKey),
        ...(item.replaces === undefined ? {} : { replaces: owned(item.replaces) }),
      }
    : { ...item, sealed: owned(item.sealed) };
}

/** The same bytes in a buffer that holds nothing else. */
function owned(view: Uint8Array): Uint8Array {
  const { buffer, byteLength } = view;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? view : new Uint8Array(view);
}

function ownedOrNull(view: Uint8Array | null): Uint8Array | null {
  return view === null ? null : owned(view);
}
