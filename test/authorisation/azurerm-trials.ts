import { AZURERM_ALIAS } from '../../src/protocols/azurerm/layout.ts';
import { versionId } from '../../src/protocols/azurerm/door/version-id.ts';
import { randomUUID } from 'node:crypto';
import type { Answer } from '../support/request.ts';
import { sampleLock } from '../support/sample-state.ts';
import {
  emptyProject,
  otherLock,
  ownLock,
  ownProject,
  SECRET,
  STATE,
  state,
  stateText,
  type Scene,
  type Trial,
} from './scene.ts';

type Headers = Readonly<Record<string, string>>;

const ACCOUNT = '/azure/statehouse';
const CONTAINER = `${ACCOUNT}/acme`;
const BLOB = `${CONTAINER}/net/appenv:dev`;

const send = (
  { house, pair }: Scene,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: Headers; body?: string } = {},
): Promise<Answer> =>
  house.ask(method, path, {
    as: null,
    headers: {
      'x-ms-version': '2023-11-03',
      ...(pair === null ? {} : { authorization: `Bearer ${pair.id}.${pair.secret}` }),
      ...(method === 'PUT' && body === undefined ? { 'content-length': '0' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
const ask =
  (
    method: string,
    path: string,
    headers: (scene: Scene) => Headers = () => ({}),
    body?: string,
  ): Trial['ask'] =>
  (scene) =>
    send(scene, method, path, { headers: headers(scene), ...(body === undefined ? {} : { body }) });
const lists = (path: string, text: string, prepare: Trial['prepare'] = [state]): Trial => ({
  prepare,
  ask: ask('GET', path),
  proof: { text },
});
const heads = (path: string, prepare: Trial['prepare']): Trial => ({
  prepare,
  ask: ask('HEAD', path),
  proof: { status: 200 },
});

const BLOCK_BLOB = (): Headers => ({ 'x-ms-blob-type': 'BlockBlob' });
const LEASE = ({ lockId }: Scene): Headers => ({ 'x-ms-lease-id': lockId });
const doesTo =
  (action: string): Trial['ask'] =>
  (scene) =>
    send(scene, 'PUT', `${BLOB}?comp=lease`, { headers: { ...LEASE(scene), 'x-ms-lease-action': action } });

const BLOCK_ID = Buffer.from('block-000001').toString('base64');
const putBlock = (scene: Scene): Promise<Answer> =>
  send(scene, 'PUT', `${BLOB}?comp=block&blockid=${encodeURIComponent(BLOCK_ID)}`, { body: stateText(3) });

/** A block that the asker itself has sent, with every right that it needs. */
async function ownBlock({ house, owner }: Scene): Promise<void> {
  const { uploads } = house.house;
  const begun = await uploads.begin(owner, STATE, { kind: 'azurerm-blocks' });
  if (begun.type !== 'begun') throw new Error(`not begun: ${begun.type}`);
  const body = (async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(stateText(3));
  })();
  await uploads.put(owner, begun.upload, 1, body, () => ({ block: BLOCK_ID }));
}

/** How the rows of the azurerm door are tried. */
export const AZURERM_TRIALS: Readonly<Record<string, Trial>> = {
  'ListContainers, each project with a state': lists(`${ACCOUNT}?comp=list`, '<Name>acme</Name>'),
  'ListContainers, each project that was made': lists(`${ACCOUNT}?comp=list`, '<Name>acme</Name>', [
    emptyProject,
  ]),
  'GetServiceProperties, the service': lists(
    `${ACCOUNT}?restype=service&comp=properties`,
    'StorageServiceProperties',
    [],
  ),
  'GetAccountInformation, the service': heads(`${ACCOUNT}?restype=account&comp=properties`, []),
  'CreateContainer, a project': {
    prepare: [],
    ask: ask('PUT', `${CONTAINER}?restype=container`),
    proof: 'changed',
  },
  'GetContainerProperties, a project with a state': heads(`${CONTAINER}?restype=container`, [state]),
  'GetContainerProperties, a project that was made': heads(`${CONTAINER}?restype=container`, [emptyProject]),
  'GetContainerProperties, a project that one has made': {
    ...heads(`${CONTAINER}?restype=container`, [ownProject]),
    perAsker: true,
  },
  'GetContainerAcl, a project with a state': lists(
    `${CONTAINER}?restype=container&comp=acl`,
    'SignedIdentifiers',
  ),
  'ListBlobs, a project': lists(`${CONTAINER}?restype=container&comp=list`, 'EnumerationResults'),
  'ListBlobs, each state': lists(`${CONTAINER}?restype=container&comp=list`, 'net/appenv:dev'),
  'ListBlobs, the versions of a state': lists(
    `${CONTAINER}?restype=container&comp=list&include=versions&prefix=net%2Fappenv%3Adev`,
    '<VersionId>',
  ),
  'PutBlob, a state': {
    prepare: [state],
    ask: ask('PUT', BLOB, BLOCK_BLOB, stateText(3)),
    proof: 'changed',
  },
  'PutBlob, a blob without bytes': {
    prepare: [],
    ask: ask('PUT', BLOB, BLOCK_BLOB, ''),
    proof: { status: 201 },
  },
  'GetBlob, a state': lists(BLOB, SECRET),
  'GetBlob, an old version': {
    prepare: [state],
    ask: async (scene) => {
      const [, old] = await scene.house.engine.versions(STATE, { limit: 2 });
      if (old === undefined) throw new Error('there is one version');
      return send(scene, 'GET', `${BLOB}?snapshot=${versionId(old)}`);
    },
    proof: { text: SECRET },
  },
  'GetBlobProperties, what is known of a state': heads(BLOB, [state]),
  'GetBlobProperties, a lock': heads(BLOB, [otherLock(AZURERM_ALIAS)]),
  "SetBlobMetadata, who holds one's own lock": {
    perAsker: true,
    prepare: [ownLock(AZURERM_ALIAS)],
    ask: ask('PUT', `${BLOB}?comp=metadata`, (scene) => ({
      ...LEASE(scene),
      'x-ms-meta-terraformlockid': Buffer.from(sampleLock(scene.lockId)).toString('base64'),
    })),
    proof: { status: 200 },
  },
  'SetBlobMetadata, that a lock is to be released': {
    prepare: [otherLock(AZURERM_ALIAS)],
    ask: ask('PUT', `${BLOB}?comp=metadata`, LEASE),
    proof: { status: 200 },
  },
  'LeaseBlob, a lock': {
    prepare: [state],
    ask: ask('PUT', `${BLOB}?comp=lease`, () => ({
      'x-ms-lease-action': 'acquire',
      'x-ms-lease-duration': '-1',
      'x-ms-proposed-lease-id': randomUUID(),
    })),
    proof: 'changed',
  },
  "LeaseBlob, a renewal of one's own lock": {
    perAsker: true,
    prepare: [ownLock(AZURERM_ALIAS)],
    ask: doesTo('renew'),
    proof: { status: 200 },
  },
  "LeaseBlob, a release of one's own lock": {
    perAsker: true,
    prepare: [ownLock(AZURERM_ALIAS)],
    ask: doesTo('release'),
    proof: 'changed',
  },
  "LeaseBlob, a release of another's lock": {
    prepare: [otherLock(AZURERM_ALIAS)],
    ask: doesTo('release'),
    proof: 'changed',
  },
  "LeaseBlob, a break of another's lock": {
    prepare: [otherLock(AZURERM_ALIAS)],
    ask: doesTo('break'),
    proof: 'changed',
  },
  'SnapshotBlob, a state': {
    prepare: [state],
    ask: ask('PUT', `${BLOB}?comp=snapshot`),
    proof: { status: 201 },
  },
  'DeleteBlob, a state': { prepare: [state], ask: ask('DELETE', BLOB), proof: 'changed' },
  'PutBlock, a state in pieces': { prepare: [], ask: putBlock, proof: 'changed' },
  "PutBlockList, one's own blocks": {
    perAsker: true,
    prepare: [ownBlock],
    ask: ask(
      'PUT',
      `${BLOB}?comp=blocklist`,
      () => ({}),
      `<BlockList><Latest>${BLOCK_ID}</Latest></BlockList>`,
    ),
    proof: 'changed',
  },
  "GetBlockList, one's own blocks": {
    perAsker: true,
    prepare: [ownBlock],
    ask: ask('GET', `${BLOB}?comp=blocklist&blocklisttype=all`),
    proof: { text: BLOCK_ID },
  },
};
