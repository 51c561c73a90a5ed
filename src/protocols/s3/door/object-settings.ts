import type { RetentionChange } from '../../../core/retained.ts';
import type { Version } from '../../../core/world.ts';
import { readXml, xmlText, type XmlNode } from '../../wire/xml-reader.ts';
import { readObjectName, readVersionId, versionId } from '../layout.ts';
import { OWNERS_ACL } from './acl.ts';
import { readDocument } from './buckets.ts';
import { documentReply, emptyReply, isoTime, type Answer, type DoorCall } from './call.ts';
import { invalidArgument, malformedXml, noSuchKey, refused, type S3Error } from './errors.ts';
import { readRetention, refuseWithoutLock } from './object-lock.ts';
import { retained } from './retained-version.ts';
import { xml } from './unset.ts';

/** What nobody can set for an object, as what it is in any case. */
const CONSTANT: Readonly<Record<string, string>> = {
  acl: OWNERS_ACL,
  tagging: xml('Tagging', '<TagSet></TagSet>'),
};

const ATTRIBUTES: ReadonlySet<string> = new Set([
  'ETag',
  'Checksum',
  'ObjectParts',
  'StorageClass',
  'ObjectSize',
]);

/** GetObjectAcl, GetObjectTagging, GetObjectRetention, GetObjectLegalHold: audits ask them of what nobody has set. */
export async function getObjectSetting(call: DoorCall): Promise<Answer> {
  const version = await findVersion(call);
  if ('code' in version) return version;
  const document = CONSTANT[call.asked.setting] ?? (await retentionDocument(call, version));
  if (typeof document !== 'string') return document;
  const headers = { 'content-type': 'application/xml', 'x-amz-version-id': versionId(version.number) };
  return { ...emptyReply(call, 200, headers), body: Buffer.from(document) };
}

/** PutObjectRetention and PutObjectLegalHold. */
export async function putObjectSetting(call: DoorCall): Promise<Answer> {
  const bytes = await readDocument(call);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const name = readObjectName(call.asked.bucket, call.asked.key);
  if (name.kind !== 'state') return noSuchKey();
  // Whether a bucket has an object lock is told only to those who may set it.
  const refusal = await call.house.locks.refuse(call.caller, 'purge', name.address);
  if (refusal !== null) return refused(refusal);
  const without = await refuseWithoutLock(call);
  if (without !== null) return without;
  const document = readXml(bytes);
  if (document === null) return malformedXml();
  const change =
    call.asked.setting === 'retention' ? await readRetention(call, document) : readLegalHold(document);
  if ('code' in change) return change;
  const version = await findVersion(call);
  if ('code' in version) return version;
  const said: RetentionChange =
    'retention' in change ? { kind: 'retention', ...change } : { kind: 'legal-hold', ...change };
  const unsaid = await retained(call, name.address, version.number, said);
  return unsaid ?? emptyReply(call, 200, { 'x-amz-version-id': versionId(version.number) });
}

function readLegalHold(document: XmlNode): { readonly on: boolean } | S3Error {
  const status = xmlText(document, 'Status');
  if (document.name !== 'LegalHold' || (status !== 'ON' && status !== 'OFF')) return malformedXml();
  return { on: status === 'ON' };
}

/** GetObjectRetention's and GetObjectLegalHold's. */
async function retentionDocument(call: DoorCall, { number }: Version): Promise<string | S3Error> {
  const { bucket, key, setting } = call.asked;
  const without = await refuseWithoutLock(call);
  if (without !== null) return without;
  const name = readObjectName(bucket, key);
  if (name.kind !== 'state') return noSuchKey();
  const answer = await call.house.history.retaining(call.caller, name.address, number);
  if (answer.type !== 'retaining') return refused(answer);
  const { retention, legalHold } = answer;
  if (setting === 'legal-hold') return xml('LegalHold', `<Status>${legalHold ? 'ON' : 'OFF'}</Status>`);
  if (retention === null) {
    return {
      status: 404,
      code: 'NoSuchObjectLockConfiguration',
      message: 'The specified object does not have a ObjectLock configuration',
    };
  }
  const { mode, until } = retention;
  return xml(
    'Retention',
    `<Mode>${mode.toUpperCase()}</Mode><RetainUntilDate>${isoTime(until)}</RetainUntilDate>`,
  );
}

/** GetObjectAttributes of a state: what a HEAD tells, as a document. */
export async function getObjectAttributes(call: DoorCall): Promise<Answer> {
  const asked = call.request.header('x-amz-object-attributes') ?? '';
  const wanted = new Set(asked.split(',').map((name) => name.trim()));
  if ([...wanted].some((name) => !ATTRIBUTES.has(name))) {
    return invalidArgument('x-amz-object-attributes', asked, 'Invalid attribute name specified.');
  }
  const version = await findVersion(call);
  if ('code' in version) return version;
  const { md5, sha256, size, at, number } = version;
  const checksum = {
    ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
    ChecksumType: 'FULL_OBJECT',
  };
  const reply = documentReply(call, 'GetObjectAttributesResponse', {
    ...(wanted.has('ETag') ? { ETag: md5 } : {}),
    ...(wanted.has('Checksum') ? { Checksum: checksum } : {}),
    ...(wanted.has('StorageClass') ? { StorageClass: 'STANDARD' } : {}),
    ...(wanted.has('ObjectSize') ? { ObjectSize: size } : {}),
  });
  const headers = {
    'last-modified': new Date(at).toUTCString(),
    'x-amz-version-id': versionId(number),
  };
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

/** The version of a state that is asked about: only states have any. */
async function findVersion({ house, caller, asked }: DoorCall): Promise<Version | S3Error> {
  const name = readObjectName(asked.bucket, asked.key);
  if (name.kind !== 'state') return noSuchKey();
  const wanted = asked.query.get('versionId');
  if (wanted === undefined) {
    const described = await house.states.describe(caller, name.address);
    if (described.type !== 'described') return refused(described);
    return described.head ?? noSuchKey();
  }
  const id = readVersionId(wanted);
  const answer = id?.kind === 'version' ? await house.states.read(caller, name.address, id.number) : ABSENT;
  if (answer.type === 'found') return answer.version;
  if (answer.type !== 'absent') return refused(answer);
  return { status: 404, code: 'NoSuchVersion', message: 'The specified version does not exist.' };
}

const ABSENT = { type: 'absent' } as const;
