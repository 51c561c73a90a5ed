import { GCS_ALIAS } from '../../src/protocols/gcs/layout.ts';
import type { Answer } from '../support/request.ts';
import { sampleLock } from '../support/sample-state.ts';
import {
  alsoGranted,
  emptyProject,
  newLockId,
  otherLock,
  otherUpload,
  ownLock,
  ownProject,
  ownUpload,
  put,
  SECRET,
  STATE,
  state,
  stateText,
  type Scene,
  type Trial,
} from './scene.ts';

const send = ({ house, pair }: Scene, method: string, path: string, body?: string): Promise<Answer> =>
  house.ask(method, path, {
    as: null,
    headers: {
      'content-type': 'application/json',
      ...(pair === null ? {} : { authorization: `Bearer ${pair.id}.${pair.secret}` }),
    },
    ...(body === undefined ? {} : { body }),
  });
const ask =
  (method: string, path: string, body?: () => string): Trial['ask'] =>
  (scene) =>
    send(scene, method, path, body?.());

const BUCKET = '/storage/v1/b/acme';
const OBJECT = 'net%2Fapp%2Fdev';
const AT = `${BUCKET}/o/${OBJECT}`;
const UPLOAD = '/upload/storage/v1/b/acme/o';
const uploadOf = (suffix: string): string => `${UPLOAD}?uploadType=media&name=${OBJECT}.${suffix}`;

const SOURCE = { project: 'beta', key: 'source', workspace: 'default' };

/** A client releases the lock by its generation. */
async function release(scene: Scene): Promise<Answer> {
  const { holders } = await scene.house.engine.world(STATE);
  return send(scene, 'DELETE', `${AT}.tflock?ifGenerationMatch=${holders[0]?.fence ?? 1}`);
}

const resume =
  (method: string): Trial['ask'] =>
  (scene) =>
    send(
      scene,
      method,
      `${UPLOAD}?uploadType=resumable&name=${OBJECT}.tfstate&upload_id=${scene.uploadId}`,
      method === 'DELETE' ? undefined : stateText(3),
    );
const lists = (path: string, text: string, prepare: Trial['prepare'] = [state]): Trial => ({
  prepare,
  ask: ask('GET', path),
  proof: { text },
});

const patches = (path: string, text: string, prepare: Trial['prepare'] = [state]): Trial => ({
  prepare,
  ask: ask('PATCH', path, () => '{}'),
  proof: { text },
});

/** How the rows of the gcs door are tried. */
export const GCS_TRIALS: Readonly<Record<string, Trial>> = {
  'buckets.list, each project with a state': lists('/storage/v1/b', '"name":"acme"'),
  'buckets.list, each project that was made': lists('/storage/v1/b', '"name":"acme"', [emptyProject]),
  'buckets.get, a project with a state': lists(BUCKET, '"name":"acme"'),
  'buckets.get, a project that was made': lists(BUCKET, '"name":"acme"', [emptyProject]),
  'buckets.get, a project that one has made': {
    ...lists(BUCKET, '"name":"acme"', [ownProject]),
    perAsker: true,
  },
  'buckets.insert, a project': {
    prepare: [],
    ask: ask('POST', '/storage/v1/b?project=p', () => '{"name":"acme"}'),
    proof: 'changed',
  },
  'buckets.patch, a project with a state': patches(BUCKET, '"name":"acme"'),
  'buckets.patch, a project that was made': patches(BUCKET, '"name":"acme"', [emptyProject]),
  'buckets.patch, a project that one has made': {
    ...patches(BUCKET, '"name":"acme"', [ownProject]),
    perAsker: true,
  },
  'objects.patch, what is known of a state': patches(`${AT}.tfstate`, '"md5Hash"'),
  'objects.patch, an old version': {
    prepare: [state],
    ask: async (scene) => {
      const versions = await scene.house.engine.versions(STATE, { limit: 2 });
      return send(scene, 'PATCH', `${AT}.tfstate?generation=${versions[1]?.number ?? 0}`, '{}');
    },
    proof: { text: '"md5Hash"' },
  },
  'objects.patch, a lock': {
    prepare: [otherLock(GCS_ALIAS)],
    ask: ask('PATCH', `${AT}.tflock`, () => '{}'),
    proof: { text: '"md5Hash"' },
  },
  'objects.list, a project': lists(`${BUCKET}/o`, '"kind":"storage#objects"'),
  'objects.list, each state': lists(`${BUCKET}/o`, 'net/app/dev.tfstate'),
  'objects.list, the versions of a state': lists(
    `${BUCKET}/o?versions=true&prefix=${OBJECT}.tfstate`,
    '"generation"',
  ),
  'objects.get, a state': {
    prepare: [state],
    ask: ask('GET', '/acme/net/app/dev.tfstate'),
    proof: { text: SECRET },
  },
  'objects.get, what is known of a state': lists(`${AT}.tfstate`, '"md5Hash"'),
  'objects.get, an old version': {
    prepare: [state],
    ask: async (scene) => {
      const versions = await scene.house.engine.versions(STATE, { limit: 2 });
      return send(scene, 'GET', `${AT}.tfstate?alt=media&generation=${versions[1]?.number ?? 0}`);
    },
    proof: { text: SECRET },
  },
  'objects.get, a lock': {
    prepare: [otherLock(GCS_ALIAS)],
    ask: ask('GET', '/acme/net/app/dev.tflock'),
    proof: { text: ({ lockId }) => lockId },
  },
  'objects.insert, a state': {
    prepare: [state],
    ask: ask('POST', uploadOf('tfstate'), () => stateText(3)),
    proof: 'changed',
  },
  'objects.insert, a state in pieces': {
    prepare: [],
    ask: ask('POST', `${UPLOAD}?uploadType=resumable&name=${OBJECT}.tfstate`, () => '{}'),
    proof: 'changed',
  },
  'objects.insert, a lock': {
    prepare: [state],
    ask: ask('POST', `${uploadOf('tflock')}&ifGenerationMatch=0`, () => sampleLock(newLockId())),
    proof: 'changed',
  },
  "objects.insert.resume, one's own upload": {
    perAsker: true,
    prepare: [ownUpload],
    ask: resume('PUT'),
    proof: 'changed',
  },
  "objects.insert.resume, another's upload": { prepare: [otherUpload], ask: resume('PUT'), proof: 'changed' },
  "objects.insert.cancel, one's own upload": {
    perAsker: true,
    prepare: [ownUpload],
    ask: resume('DELETE'),
    proof: { status: 499 },
  },
  "objects.insert.cancel, another's upload": {
    prepare: [otherUpload],
    ask: resume('DELETE'),
    proof: { status: 499 },
  },
  'objects.copy, from the state': {
    perAsker: true,
    prepare: [state, alsoGranted({ role: 'writer', pattern: 'beta/*' })],
    ask: ask('POST', `${AT}.tfstate/copyTo/b/beta/o/copy%2Fdefault.tfstate`),
    proof: 'changed',
  },
  'objects.copy, to the state': {
    perAsker: true,
    prepare: [
      ({ house }) => put(house, stateText(1), SOURCE),
      alsoGranted({ role: 'reader', pattern: 'beta/*' }),
    ],
    ask: ask('POST', `/storage/v1/b/beta/o/source%2Fdefault.tfstate/copyTo/b/acme/o/${OBJECT}.tfstate`),
    proof: 'changed',
  },
  'objects.copy, an old version onto its state': {
    prepare: [state],
    ask: async (scene) => {
      const versions = await scene.house.engine.versions(STATE, { limit: 2 });
      const at = `${AT}.tfstate/copyTo/b/acme/o/${OBJECT}.tfstate`;
      return send(scene, 'POST', `${at}?sourceGeneration=${versions[1]?.number ?? 0}`);
    },
    proof: 'changed',
  },
  'objects.rewrite, from the state': {
    perAsker: true,
    prepare: [state, alsoGranted({ role: 'writer', pattern: 'beta/*' })],
    ask: ask('POST', `${AT}.tfstate/rewriteTo/b/beta/o/copy%2Fdefault.tfstate`),
    proof: 'changed',
  },
  'objects.delete, a state': { prepare: [state], ask: ask('DELETE', `${AT}.tfstate`), proof: 'changed' },
  "objects.delete, one's own lock": {
    perAsker: true,
    prepare: [ownLock(GCS_ALIAS)],
    ask: release,
    proof: 'changed',
  },
  "objects.delete, another's lock": { prepare: [otherLock(GCS_ALIAS)], ask: release, proof: 'changed' },
};
