import type { Version } from '../../../core/world.ts';
import { readObjectName, readVersionId, versionId } from '../layout.ts';
import { OWNERS_ACL } from './acl.ts';
import { documentReply, emptyReply, type Answer, type DoorCall } from './call.ts';
import { invalidArgument, noSuchKey, refused, type S3Error } from './errors.ts';
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
  const document = CONSTANT[call.asked.setting];
  if (document === undefined) {
    return {
      status: 404,
      code: 'NoSuchObjectLockConfiguration',
      message: 'The specified object does not have a ObjectLock configuration',
    };
  }
  const headers = { 'content-type': 'application/xml', 'x-amz-version-id': versionId(version.number) };
  return { ...emptyReply(call, 200, headers), body: Buffer.from(document) };
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
