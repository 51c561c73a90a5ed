import type { Address } from '../../../core/address.ts';
import type { Piece } from '../../../house/states/upload-records.ts';
import { PIECES_MAX } from '../../../house/states/uploads.ts';
import { newDigest } from '../../wire/digest.ts';
import { readBody } from '../../wire/read-body.ts';
import { readXml, XML_BYTES_MAX } from '../../wire/xml-reader.ts';
import { readBlobName } from '../layout.ts';
import { isNothing, viewOf } from './blob-view.ts';
import { documentReply, emptyReply, type Answer, type DoorCall } from './call.ts';
import { invalidQuery, noPlaceFor, noSuchBlob, refused, type AzureError } from './errors.ts';
import { metadataRefusal } from './metadata.ts';
import { checked, storedReply, writeState } from './put-blob.ts';

/** Bytes of a block's ID before it is encoded (Blob service REST API, "Put Block"). */
const BLOCK_ID_BYTES_MAX = 64;

/** Put Block: part of a state that is put together later. */
export async function putBlock(call: DoorCall): Promise<Answer> {
  const { blocks, caller, request, asked } = call;
  const address = stateAddress(call);
  if ('code' in address) return address;
  const blockId = asked.query.get('blockid') ?? '';
  if (!isBlockId(blockId))
    return invalidQuery('blockid', `at most ${BLOCK_ID_BYTES_MAX} bytes in base64, encoded as a query is`);
  const piece = await blocks.put(caller, address, blockId, checked(call, request.body));
  if ('code' in piece) return piece;
  return emptyReply(call, 201, {
    'content-md5': Buffer.from(piece.md5, 'hex').toString('base64'),
    'x-ms-request-server-encrypted': 'true',
  });
}

/** Put Block List: puts blocks together and writes them as one state, under the same rules as any other write. */
export async function putBlockList(call: DoorCall): Promise<Answer> {
  const { house, blocks, caller, request } = call;
  const address = stateAddress(call);
  if ('code' in address) return address;
  const metadata = metadataRefusal(request);
  if (metadata !== null) return metadata;
  const refusal = await house.locks.refuse(caller, 'write', address);
  if (refusal !== null) return refused(refusal);
  const body = {
    body: checked(call, request.body),
    contentLength: request.contentLength,
    keep: request.keep,
  };
  const bytes = await readBody(body, XML_BYTES_MAX);
  const wanted = bytes === null ? null : readList(bytes);
  if (bytes === null || wanted === null)
    return { status: 400, code: 'InvalidXmlDocument', message: 'XML specified is not a list of blocks.' };
  const list = listName(bytes);
  const again = blocks.lastCommit(caller, address, list);
  const found = await blocks.find(caller, address);
  if ('code' in found) return found;
  const pieces = wanted.flatMap((id) => found.blocks.get(id) ?? []);
  if (again !== null && found.blocks.size === 0) return committedBefore(call, address, again.version);
  if (pieces.length < wanted.length)
    return { status: 400, code: 'InvalidBlockList', message: 'The specified block list is invalid.' };
  const size = pieces.reduce((sum, piece) => sum + piece.size, 0);
  const stored = await writeState(call, address, house.uploads.read(pieces), size);
  if ('code' in stored) return stored;
  blocks.committed(caller, address, { list, version: stored.number });
  for (const upload of found.uploads)
    await house.uploads.finish(caller, upload, { md5: stored.md5, version: stored.number });
  return storedReply(call, stored);
}

/** Get Block List: the caller's own blocks that wait; a state that was put together is one. */
export async function getBlockList(call: DoorCall): Promise<Answer> {
  const { blocks, caller, asked } = call;
  const address = stateAddress(call);
  if ('code' in address) return noSuchBlob();
  const type = (asked.query.get('blocklisttype') ?? 'committed').toLowerCase();
  if (!['committed', 'uncommitted', 'all'].includes(type))
    return invalidQuery('blocklisttype', 'committed, uncommitted or all');
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  const found =
    type === 'committed' ? { blocks: new Map<string, Piece>() } : await blocks.find(caller, address);
  if ('code' in found) return found;
  if (isNothing(view) && found.blocks.size === 0) return noSuchBlob();
  const waiting = [...found.blocks].map(([id, { size }]) => ({ Name: id, Size: size }));
  return documentReply(call, 'BlockList', {
    CommittedBlocks: type === 'uncommitted' ? undefined : {},
    UncommittedBlocks: type === 'committed' ? undefined : { Block: waiting },
  });
}

/** The answer to whoever did not hear it the first time. */
async function committedBefore(call: DoorCall, address: Address, number: number): Promise<Answer> {
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  if (view.state?.number === number) return storedReply(call, view.state);
  return { status: 400, code: 'InvalidBlockList', message: 'The specified block list is invalid.' };
}

/** The IDs of the blocks in their order; null where it is no such list. */
function readList(bytes: Uint8Array): readonly string[] | null {
  const document = readXml(bytes);
  if (document?.name !== 'BlockList' || document.children.length > PIECES_MAX) return null;
  const isKnown = document.children.every(({ name }) =>
    ['Latest', 'Uncommitted', 'Committed'].includes(name),
  );
  return isKnown ? document.children.map(({ text }) => text.trim()) : null;
}

function listName(bytes: Uint8Array): string {
  const digest = newDigest('sha256');
  digest.update(bytes);
  return Buffer.from(digest.digest()).toString('base64');
}

function isBlockId(id: string): boolean {
  const bytes = Buffer.from(id, 'base64');
  return bytes.length > 0 && bytes.length <= BLOCK_ID_BYTES_MAX && bytes.toString('base64') === id;
}

function stateAddress({ asked: { container, blob } }: DoorCall): Address | AzureError {
  const name = readBlobName(container, blob);
  return name.kind === 'state' ? name.address : noPlaceFor(name.problem);
}
