import type { Address } from '../../../core/address.ts';
import type { Claim } from '../../../core/command.ts';
import type { Version } from '../../../core/world.ts';
import type { WriteTerms } from '../../../house/states/states.ts';
import type { Digest } from '../../wire/crc.ts';
import { newDigest } from '../../wire/digest.ts';
import { GCS_ALIAS } from '../layout.ts';
import { emptyReply, jsonReply, type Answer, type DoorCall } from './call.ts';
import {
  isConditional,
  isNotModified,
  readConditions,
  readGeneration,
  unmet,
  type Conditions,
} from './conditions.ts';
import { conditionNotMet, noSuchObject, notDone, refused, type GcsError } from './errors.ts';
import { mediaReply } from './media.ts';
import { describeObject, stateView } from './object-view.ts';

/** A change at this door names no lock: whoever took it here is its holder. */
const CLAIM: Claim = { kind: 'unnamed', aliases: [GCS_ALIAS] };

/** The bytes of a state, or what is known of it; of the newest version, or of the one that `generation` names. */
export async function getState(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller, asked, request } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const named = asked.query.get('generation');
  const number = named === undefined ? null : readGeneration(named);
  const absent = noSuchObject(asked.bucket, asked.object);
  if (named !== undefined && (number === null || number === 0)) return absent;
  const found =
    asked.media || number !== null
      ? await house.states.read(caller, address, number)
      : await newest(call, address);
  if (found.type === 'absent') return unmet(conditions, 0) === null ? absent : failed(call, conditions, 0);
  if (found.type !== 'found') return refused(found);
  const { version, bytes } = found;
  if (unmet(conditions, version.number) !== null) return failed(call, conditions, version.number);
  const plain = asked.media && bytes !== null ? bytes.plain() : null;
  const crc32c = await checksum(call, address, { version, plain });
  const view = stateView(asked.bucket, asked.object, version, crc32c);
  return plain !== null ? mediaReply(call, view, plain) : jsonReply(call, describeObject(view, request));
}

/** Writes a state on the conditions that the request sets. */
export async function writeState(
  { house, checksums, caller }: DoorCall,
  address: Address,
  body: AsyncIterable<Uint8Array>,
  terms: Omit<WriteTerms, 'claim' | 'expects'> & { readonly conditions: Conditions },
): Promise<WrittenState | GcsError> {
  const { conditions, ...announced } = terms;
  const expects = await expectation({ house, caller }, address, conditions);
  if (expects !== null && 'reason' in expects) return expects;
  const digest = newDigest('crc32c');
  const answer = await house.states.write(caller, address, digested(body, digest), {
    claim: CLAIM,
    ...announced,
    ...(expects === null ? {} : { expects }),
  });
  if (answer.type !== 'stored') return refused(answer);
  const crc32c = Buffer.from(digest.digest()).toString('base64');
  checksums.knows(answer.version, crc32c);
  return { version: answer.version, crc32c };
}

/** A state that was taken in, with the checksum by which Google's clients know that it came whole. */
export interface WrittenState {
  readonly version: Version;
  /** In base64. */
  readonly crc32c: string;
}

/** The checksum of what is read whole, for which a large state is read twice; of all else, if it is known. */
async function checksum(
  { house, checksums, caller, asked, request }: DoorCall,
  address: Address,
  {
    version,
    plain,
  }: { readonly version: Version; readonly plain: Uint8Array | AsyncIterable<Uint8Array> | null },
): Promise<string | undefined> {
  const known = checksums.of(version);
  const isWhole = request.method === 'GET' && request.header('range') === undefined;
  if (known !== undefined || plain === null || !isWhole) return known;
  if (plain instanceof Uint8Array) return checksums.learn(version, plain);
  const named = asked.query.get('generation');
  const again = await house.states.read(caller, address, named === undefined ? null : version.number);
  const isSame = again.type === 'found' && again.version.number === version.number;
  return isSame ? checksums.learn(version, again.bytes.plain()) : undefined;
}

/** Brings an old version back, as Google's users do: by copying it onto its own name. */
export async function restoreState(
  { house, caller }: DoorCall,
  address: Address,
  number: number,
): Promise<Version | GcsError> {
  const answer = await house.history.restore(caller, address, number, CLAIM);
  return answer.type === 'stored' ? answer.version : refused(answer);
}

async function* digested(body: AsyncIterable<Uint8Array>, digest: Digest): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    digest.update(chunk);
    yield chunk;
  }
}

/** A deletion hides the state, whose versions stay. */
export async function deleteState(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller, asked } = call;
  const conditions = readConditions(asked.query);
  if ('reason' in conditions) return conditions;
  const named = asked.query.get('generation');
  // Google's clients name the generation of the object that they have just read.
  const generation = named === undefined ? {} : { ifGenerationMatch: readGeneration(named) ?? 0 };
  const unheld = named === undefined ? null : unmet(conditions, readGeneration(named) ?? 0);
  if (unheld !== null) return conditionNotMet(unheld);
  const expects = await expectation(call, address, { ...conditions, ...generation });
  if (expects !== null && 'reason' in expects)
    return named === undefined
      ? expects
      : notDone(
          'the deletion of an old generation',
          'versions are pruned as the retention of the project says',
        );
  const { sha256 = null } = expects ?? {};
  const answer = await house.states.delete(caller, address, CLAIM, sha256 === null ? undefined : { sha256 });
  if (answer.type === 'deleted') return emptyReply(call, 204);
  return answer.type === 'absent' ? noSuchObject(asked.bucket, asked.object) : refused(answer);
}

/** The newest version without its bytes, for those who might read them. */
async function newest(
  { house, caller }: DoorCall,
  address: Address,
): Promise<Exclude<Awaited<ReturnType<DoorCall['house']['states']['read']>>, { type: 'found' }> | Known> {
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return described;
  const { head } = described;
  return head === null ? { type: 'absent' } : { type: 'found', version: head, bytes: null };
}

interface Known {
  readonly type: 'found';
  readonly version: Version;
  readonly bytes: null;
}

function failed(call: DoorCall, conditions: Conditions, generation: number): Answer {
  const condition = unmet(conditions, generation) ?? '';
  return isNotModified(condition) ? emptyReply(call, 304) : conditionNotMet(condition);
}

/** What a change expects to find, so that nothing can come between the look and the change; null for anything. */
async function expectation(
  { house, caller }: Pick<DoorCall, 'house' | 'caller'>,
  address: Address,
  conditions: Conditions,
): Promise<NonNullable<WriteTerms['expects']> | null | GcsError> {
  if (!isConditional(conditions)) return null;
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  const { head } = described;
  const condition = unmet(conditions, head?.number ?? 0);
  return condition === null ? { sha256: head?.sha256 ?? null } : conditionNotMet(condition);
}
