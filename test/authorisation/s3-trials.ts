import { createHash } from 'node:crypto';
import { LOCK_FILE_ALIAS } from '../../src/protocols/s3/layout.ts';
import { askSigned } from '../support/ask-signed.ts';
import type { Answer } from '../support/request.ts';
import { sampleLock } from '../support/sample-state.ts';
import {
  alsoGranted,
  deleted,
  emptyProject,
  newLockId,
  OBJECT,
  otherLock,
  otherUpload,
  ownLock,
  ownProject,
  ownUpload,
  objectLock,
  projectSettings,
  put,
  SECRET,
  STATE,
  state,
  stateText,
  UPLOADED,
  type Scene,
  type Trial,
} from './scene.ts';

interface Sent {
  readonly query?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const send = (scene: Scene, method: string, path: string, sent: Sent = {}): Promise<Answer> =>
  askSigned(scene.house.url, { method, path, service: 's3', ...sent }, scene.pair);
const ask =
  (method: string, path: string, sent: Sent = {}): Trial['ask'] =>
  (scene) =>
    send(scene, method, path, sent);

const BUCKET = '/acme';
/** Percent-escaped as AWS's clients do it. */
const AT = `${BUCKET}/${OBJECT.replace(':', '%3A')}`;
const LOCK_FILE = `${AT}.tflock`;
const SOURCE = { project: 'beta', key: 'source', workspace: 'default' };

/** The number of a version of the state: 0 for the newest, 1 for the one before. */
async function version({ house }: Scene, back: number): Promise<string> {
  const versions = await house.engine.versions(STATE, { limit: back + 1 });
  return String(versions[back]?.number);
}

/** A client reads the lock before it deletes it. */
async function lookThenDelete(scene: Scene): Promise<Answer> {
  await send(scene, 'GET', LOCK_FILE);
  return send(scene, 'DELETE', LOCK_FILE);
}

async function lookThenDeleteMany(scene: Scene): Promise<Answer> {
  await send(scene, 'GET', LOCK_FILE);
  return deleteMany(scene, `${OBJECT}.tflock`);
}

function deleteMany(scene: Scene, key: string): Promise<Answer> {
  const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
  return send(scene, 'POST', BUCKET, { query: [['delete', '']], body });
}

async function copyFrom(scene: Scene): Promise<Answer> {
  return send(scene, 'PUT', '/beta/copy', { headers: { 'x-amz-copy-source': `acme/${OBJECT}` } });
}

async function copyTo(scene: Scene): Promise<Answer> {
  return send(scene, 'PUT', AT, { headers: { 'x-amz-copy-source': 'beta/source' } });
}

async function copyBack(scene: Scene): Promise<Answer> {
  const source = `acme/${OBJECT}?versionId=${await version(scene, 1)}`;
  return send(scene, 'PUT', AT, { headers: { 'x-amz-copy-source': source } });
}

const upload =
  (method: string, more: readonly (readonly [string, string])[] = [], body?: string): Trial['ask'] =>
  (scene) =>
    send(scene, method, AT, {
      query: [...more, ['uploadId', scene.uploadId]],
      ...(body === undefined ? {} : { body }),
    });

/** Copies the state into a part of an upload to another project, which ends with it. */
async function copyPartFrom(scene: Scene): Promise<Answer> {
  const at = '/beta/copy';
  const begun = await send(scene, 'POST', at, { query: [['uploads', '']] });
  const id = /<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? '';
  const headers = { 'x-amz-copy-source': `acme/${OBJECT}` };
  const query = [['uploadId', id]] as const;
  const answer = await send(scene, 'PUT', at, { query: [['partNumber', '1'], ...query], headers });
  await send(scene, 'DELETE', at, { query });
  return answer;
}

async function copyPart(scene: Scene): Promise<Answer> {
  const query = [
    ['partNumber', '2'],
    ['uploadId', scene.uploadId],
  ] as const;
  return send(scene, 'PUT', AT, { query, headers: { 'x-amz-copy-source': `acme/${OBJECT}` } });
}

async function complete(scene: Scene): Promise<Answer> {
  const etag = createHash('md5').update(UPLOADED).digest('hex');
  const part = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`;
  return upload('POST', [], `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`)(scene);
}

const RETENTION = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${new Date(Date.now() + 3_600_000).toISOString()}</RetainUntilDate></Retention>`;
const TAGGING = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
const lists = (query: readonly (readonly [string, string])[], text: string): Trial => ({
  prepare: [state],
  ask: ask('GET', BUCKET, { query }),
  proof: { text },
});

const buckets = (prepare: (scene: Scene) => Promise<void>): Trial => ({
  prepare: [prepare],
  ask: ask('GET', '/'),
  proof: { text: '<Name>acme</Name>' },
});
const head = (prepare: (scene: Scene) => Promise<void>): Trial => ({
  prepare: [prepare],
  ask: ask('HEAD', BUCKET),
  proof: { status: 200 },
});
const uploads = (prepare: (scene: Scene) => Promise<void>): Trial => ({
  prepare: [prepare],
  ask: ask('GET', BUCKET, { query: [['uploads', '']] }),
  proof: { text: ({ uploadId }) => `<UploadId>${uploadId}</UploadId>` },
});

/** How the rows of the S3 door are tried. */
export const S3_TRIALS: Readonly<Record<string, Trial>> = {
  'ListBuckets, each project with a state': buckets(state),
  'ListBuckets, each project that was made': buckets(emptyProject),
  'ListBuckets, each project that one has made': { ...buckets(ownProject), perAsker: true },
  'CreateBucket, a project': { prepare: [], ask: ask('PUT', BUCKET), proof: 'changed' },
  'HeadBucket, a project with a state': head(state),
  'HeadBucket, a project that was made': head(emptyProject),
  'HeadBucket, a project that one has made': { ...head(ownProject), perAsker: true },
  'DeleteBucket, a project': { prepare: [emptyProject], ask: ask('DELETE', BUCKET), proof: 'changed' },
  'GetBucketLocation, a project': {
    prepare: [emptyProject],
    ask: ask('GET', BUCKET, { query: [['location', '']] }),
    proof: { text: '<LocationConstraint' },
  },
  'GetBucketSetting, a project': {
    prepare: [emptyProject, projectSettings],
    ask: ask('GET', BUCKET, { query: [['tagging', '']] }),
    proof: { text: '<Tagging' },
  },
  'PutBucketSetting, a project': {
    prepare: [emptyProject],
    ask: ask('PUT', BUCKET, { query: [['tagging', '']], body: TAGGING }),
    proof: 'changed',
  },
  'DeleteBucketSetting, a project': {
    prepare: [emptyProject, projectSettings],
    ask: ask('DELETE', BUCKET, { query: [['tagging', '']] }),
    proof: 'changed',
  },
  'ListObjects, a project': lists([], '<ListBucketResult'),
  'ListObjects, each state': lists([], `<Key>${OBJECT}</Key>`),
  'ListObjectsV2, a project': lists([['list-type', '2']], '<ListBucketResult'),
  'ListObjectsV2, each state': lists([['list-type', '2']], `<Key>${OBJECT}</Key>`),
  'ListObjectVersions, a project': lists([['versions', '']], '<ListVersionsResult'),
  'ListObjectVersions, each state': lists([['versions', '']], `<Key>${OBJECT}</Key>`),
  'ListMultipartUploads, a project': lists([['uploads', '']], '<ListMultipartUploadsResult'),
  "ListMultipartUploads, one's own upload": { ...uploads(ownUpload), perAsker: true },
  "ListMultipartUploads, another's upload": uploads(otherUpload),
  'DeleteObjects, a state': { prepare: [state], ask: (scene) => deleteMany(scene, OBJECT), proof: 'changed' },
  "DeleteObjects, one's own lock": {
    perAsker: true,
    prepare: [ownLock(LOCK_FILE_ALIAS)],
    ask: lookThenDeleteMany,
    proof: 'changed',
  },
  "DeleteObjects, another's lock": {
    prepare: [otherLock(LOCK_FILE_ALIAS)],
    ask: lookThenDeleteMany,
    proof: 'changed',
  },
  'GetObject, a state': { prepare: [state], ask: ask('GET', AT), proof: { text: SECRET } },
  'GetObject, an old version': {
    prepare: [state],
    ask: async (scene) => send(scene, 'GET', AT, { query: [['versionId', await version(scene, 1)]] }),
    proof: { text: SECRET },
  },
  'GetObject, a lock file': {
    prepare: [otherLock(LOCK_FILE_ALIAS)],
    ask: ask('GET', LOCK_FILE),
    proof: { text: ({ lockId }) => lockId },
  },
  'HeadObject, a state': { prepare: [state], ask: ask('HEAD', AT), proof: { status: 200 } },
  'HeadObject, a lock file': {
    prepare: [otherLock(LOCK_FILE_ALIAS)],
    ask: ask('HEAD', LOCK_FILE),
    proof: { status: 200 },
  },
  'PutObject, a state': { prepare: [state], ask: ask('PUT', AT, { body: stateText(3) }), proof: 'changed' },
  'PutObject, a lock file': {
    prepare: [],
    ask: (scene) =>
      send(scene, 'PUT', LOCK_FILE, { headers: { 'if-none-match': '*' }, body: sampleLock(newLockId()) }),
    proof: 'changed',
  },
  'CopyObject, from the state': {
    perAsker: true,
    prepare: [state, alsoGranted({ role: 'writer', pattern: 'beta/*' })],
    ask: copyFrom,
    proof: 'changed',
  },
  'CopyObject, to the state': {
    perAsker: true,
    prepare: [
      ({ house }) => put(house, stateText(1), SOURCE),
      alsoGranted({ role: 'reader', pattern: 'beta/*' }),
    ],
    ask: copyTo,
    proof: 'changed',
  },
  'CopyObject, an old version onto its state': { prepare: [state], ask: copyBack, proof: 'changed' },
  'DeleteObject, a state': { prepare: [state], ask: ask('DELETE', AT), proof: 'changed' },
  'GetObjectSetting, a state': {
    prepare: [state],
    ask: ask('GET', AT, { query: [['acl', '']] }),
    proof: { text: 'FULL_CONTROL' },
  },
  'PutObjectSetting, a state': {
    prepare: [state, objectLock],
    ask: ask('PUT', AT, { query: [['retention', '']], body: RETENTION }),
    proof: 'changed',
  },
  'GetObjectAttributes, a state': {
    prepare: [state],
    ask: ask('GET', AT, {
      query: [['attributes', '']],
      headers: { 'x-amz-object-attributes': 'ETag,ObjectSize' },
    }),
    proof: { text: '<ObjectSize>' },
  },
  "DeleteObject, one's own lock": {
    perAsker: true,
    prepare: [ownLock(LOCK_FILE_ALIAS)],
    ask: lookThenDelete,
    proof: 'changed',
  },
  "DeleteObject, another's lock": {
    prepare: [otherLock(LOCK_FILE_ALIAS)],
    ask: lookThenDelete,
    proof: 'changed',
  },
  'DeleteObject, a deletion mark': {
    prepare: [deleted],
    ask: async (scene) =>
      send(scene, 'DELETE', AT, { query: [['versionId', `d${await version(scene, 0)}`]] }),
    proof: 'changed',
  },
  'CreateMultipartUpload, a state': {
    prepare: [],
    ask: ask('POST', AT, { query: [['uploads', '']] }),
    proof: 'changed',
  },
  "UploadPart, one's own upload": {
    perAsker: true,
    prepare: [ownUpload],
    ask: upload('PUT', [['partNumber', '2']], 'more'),
    proof: 'changed',
  },
  "UploadPart, another's upload": {
    prepare: [otherUpload],
    ask: upload('PUT', [['partNumber', '2']], 'more'),
    proof: 'changed',
  },
  'UploadPartCopy, from the state': {
    perAsker: true,
    prepare: [state, alsoGranted({ role: 'writer', pattern: 'beta/*' })],
    ask: copyPartFrom,
    proof: { text: '<CopyPartResult' },
  },
  "UploadPartCopy, one's own upload": {
    perAsker: true,
    prepare: [state, ownUpload],
    ask: copyPart,
    proof: 'changed',
  },
  "UploadPartCopy, another's upload": { prepare: [state, otherUpload], ask: copyPart, proof: 'changed' },
  "CompleteMultipartUpload, one's own upload": {
    perAsker: true,
    prepare: [ownUpload],
    ask: complete,
    proof: 'changed',
  },
  "CompleteMultipartUpload, another's upload": { prepare: [otherUpload], ask: complete, proof: 'changed' },
  "AbortMultipartUpload, one's own upload": {
    perAsker: true,
    prepare: [ownUpload],
    ask: upload('DELETE'),
    proof: 'changed',
  },
  "AbortMultipartUpload, another's upload": {
    prepare: [otherUpload],
    ask: upload('DELETE'),
    proof: 'changed',
  },
  "ListParts, one's own upload": {
    perAsker: true,
    prepare: [ownUpload],
    ask: upload('GET'),
    proof: { text: '<PartNumber>1</PartNumber>' },
  },
  "ListParts, another's upload": {
    prepare: [otherUpload],
    ask: upload('GET'),
    proof: { text: '<PartNumber>1</PartNumber>' },
  },
};
