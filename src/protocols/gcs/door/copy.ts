import { isSameAddress } from '../../../core/address.ts';
import { plainStream } from '../../wire/plain-stream.ts';
import { readObjectName } from '../layout.ts';
import { jsonReply, type Answer, type DoorCall } from './call.ts';
import { readConditions, readGeneration, unmet } from './conditions.ts';
import { conditionNotMet, invalid, noSuchObject, refused, type GcsError } from './errors.ts';
import { describeObject, stateView, type ObjectView } from './object-view.ts';
import { restoreState, writeState } from './state.ts';

/** Copies a state, or an old version of it. */
export async function copyObject(call: DoorCall): Promise<Answer> {
  const copied = await copy(call);
  return 'reason' in copied ? copied : jsonReply(call, describeObject(copied, call.request));
}

/** The same, as clients ask for it that are ready to ask more than once: it is done at once. */
export async function rewriteObject(call: DoorCall): Promise<Answer> {
  const copied = await copy(call);
  if ('reason' in copied) return copied;
  const [size, resource] = [String(copied.size), describeObject(copied, call.request)];
  const done = { done: true, objectSize: size, totalBytesRewritten: size, resource };
  return jsonReply(call, { kind: 'storage#rewriteResponse', ...done });
}

async function copy(call: DoorCall): Promise<ObjectView | GcsError> {
  const { house, caller, asked } = call;
  const target = asked.target ?? { bucket: '', object: '' };
  const [from, to] = [
    readObjectName(asked.bucket, asked.object),
    readObjectName(target.bucket, target.object),
  ];
  if (from.kind !== 'state') return noSuchObject(asked.bucket, asked.object);
  if (to.kind !== 'state') return invalid('only states are copied, and to the name of a state');
  const [ofSource, conditions] = [readConditions(asked.query, 'Source'), readConditions(asked.query)];
  if ('reason' in ofSource) return ofSource;
  if ('reason' in conditions) return conditions;
  const named = asked.query.get('sourceGeneration');
  const number = named === undefined ? null : readGeneration(named);
  const isItself = isSameAddress(from.address, to.address);
  if (isItself && number !== null && Object.keys({ ...ofSource, ...conditions }).length === 0) {
    const restored = await restoreState(call, to.address, number);
    return 'reason' in restored ? restored : stateView(target.bucket, target.object, restored);
  }
  const source = await house.states.read(caller, from.address, number);
  if (source.type === 'absent') return noSuchObject(asked.bucket, asked.object);
  if (source.type !== 'found') return refused(source);
  const failed = unmet(ofSource, source.version.number);
  if (failed !== null) return conditionNotMet(failed.replace(/^if/, 'ifSource'));
  const contentLength = source.version.size;
  const stored = await writeState(call, to.address, plainStream(source.bytes), { contentLength, conditions });
  if ('reason' in stored) return stored;
  return stateView(target.bucket, target.object, stored.version, stored.crc32c);
}
