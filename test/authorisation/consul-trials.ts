import { randomUUID } from 'node:crypto';
import { CONSUL_SESSION_KIND } from '../../src/house/records/kinds.ts';
import { CONSUL_ALIAS } from '../../src/protocols/consul/layout.ts';
import type { Answer } from '../support/request.ts';
import { sampleLock } from '../support/sample-state.ts';
import { otherLock, ownLock, state, stateText, type Scene, type Trial } from './scene.ts';

const send = ({ house, pair }: Scene, method: string, path: string, body?: string): Promise<Answer> =>
  house.ask(method, path, {
    as: null,
    headers: pair === null ? {} : { 'x-consul-token': `${pair.id}.${pair.secret}` },
    ...(body === undefined ? {} : { body }),
  });
type Path = string | ((scene: Scene) => string);

const ask =
  (
    method: string,
    path: string | ((scene: Scene) => string),
    body?: (scene: Scene) => string,
  ): Trial['ask'] =>
  (scene) =>
    send(scene, method, typeof path === 'string' ? path : path(scene), body?.(scene));
const tells = (path: Path, text: string | ((scene: Scene) => string)): Trial => ({
  prepare: [],
  ask: ask('GET', path),
  proof: { text },
});

const NAME = 'acme/net/app-env:dev';
const KEY = `/v1/kv/${NAME}`;
const VALUE = (serial: number): string => Buffer.from(stateText(serial)).toString('base64');
/** A state's operations in a transaction, as Go's client writes them. */
const txn = (operation: object): string => JSON.stringify([{ KV: { Key: NAME, ...operation } }]);

/** A session of the asker's own. */
const ownSession = (scene: Scene): Promise<void> => session(scene, scene.asker.subject);
/** A session of somebody else's. */
const otherSession = (scene: Scene): Promise<void> => session(scene, 'token:somebody');

async function session(scene: Scene, subject: string): Promise<void> {
  scene.lockId = randomUUID();
  const times = { ttl: 15_000, lockDelay: 0, createdAt: 0, endsAt: Date.now() + 3_600_000 };
  const attributes = { subject, name: 'a run', behavior: 'release', locks: [], ...times };
  const entry = { kind: CONSUL_SESSION_KIND, name: scene.lockId, attributes };
  await scene.house.engine.apply([{ type: 'put-entry', entry, note: null }]);
}

const lockId = ({ lockId: id }: Scene): string => id;

/** How the rows of the consul door are tried. */
export const CONSUL_TRIALS: Readonly<Record<string, Trial>> = {
  'kv.get, a state': { prepare: [state], ask: ask('GET', KEY), proof: { text: VALUE(2) } },
  'kv.get, a lock': {
    prepare: [otherLock(CONSUL_ALIAS)],
    ask: ask('GET', `${KEY}/.lock`),
    proof: { text: lockId },
  },
  'kv.get, who holds a lock': {
    prepare: [otherLock(CONSUL_ALIAS)],
    ask: ask('GET', `${KEY}/.lockinfo?raw`),
    proof: { text: lockId },
  },
  'kv.keys, each state': { ...tells('/v1/kv/acme/net/?keys', NAME), prepare: [state] },
  'kv.list, each state': { ...tells('/v1/kv/acme/net/?recurse', VALUE(2)), prepare: [state] },
  'kv.put, a state': { prepare: [state], ask: ask('PUT', KEY, () => stateText(3)), proof: 'changed' },
  "kv.put, who holds one's own lock": {
    perAsker: true,
    prepare: [ownLock(CONSUL_ALIAS)],
    ask: ask('PUT', `${KEY}/.lockinfo`, (scene) => sampleLock(scene.lockId)),
    proof: { text: 'true' },
  },
  'kv.acquire, a lock': {
    perAsker: true,
    prepare: [ownSession],
    ask: ask('PUT', (scene) => `${KEY}/.lock?acquire=${scene.lockId}`),
    proof: 'changed',
  },
  "kv.release, one's own lock": {
    perAsker: true,
    prepare: [ownLock(CONSUL_ALIAS)],
    ask: ask('PUT', (scene) => `${KEY}/.lock?release=${scene.lockId}`),
    proof: 'changed',
  },
  "kv.release, another's lock": {
    prepare: [otherLock(CONSUL_ALIAS)],
    ask: ask('PUT', (scene) => `${KEY}/.lock?release=${scene.lockId}`),
    proof: 'changed',
  },
  'kv.delete, a state': { prepare: [state], ask: ask('DELETE', KEY), proof: 'changed' },
  "kv.delete, one's own lock": {
    perAsker: true,
    prepare: [ownLock(CONSUL_ALIAS)],
    ask: ask('DELETE', `${KEY}/.lock`),
    proof: 'changed',
  },
  "kv.delete, another's lock": {
    prepare: [otherLock(CONSUL_ALIAS)],
    ask: ask('DELETE', `${KEY}/.lock`),
    proof: 'changed',
  },
  'kv.delete-tree, each state': {
    prepare: [state],
    ask: ask('DELETE', '/v1/kv/acme/net/?recurse'),
    proof: 'changed',
  },
  'txn, a state': {
    prepare: [state],
    ask: ask('PUT', '/v1/txn', () => txn({ Verb: 'set', Value: VALUE(3) })),
    proof: 'changed',
  },
  'txn, a lock': {
    perAsker: true,
    prepare: [ownSession],
    ask: ask('PUT', '/v1/txn', (scene) => txn({ Key: `${NAME}/.lock`, Verb: 'lock', Session: scene.lockId })),
    proof: 'changed',
  },
  'session.create, oneself': {
    prepare: [],
    ask: ask('PUT', '/v1/session/create', () => '{"TTL":"15s"}'),
    proof: 'changed',
  },
  "session.renew, one's own session": {
    perAsker: true,
    prepare: [ownSession],
    ask: ask('PUT', (scene) => `/v1/session/renew/${scene.lockId}`),
    proof: 'changed',
  },
  "session.renew, another's session": {
    prepare: [otherSession],
    ask: ask('PUT', (scene) => `/v1/session/renew/${scene.lockId}`),
    proof: 'changed',
  },
  "session.destroy, one's own session": {
    perAsker: true,
    prepare: [ownSession],
    ask: ask('PUT', (scene) => `/v1/session/destroy/${scene.lockId}`),
    proof: 'changed',
  },
  "session.destroy, another's session": {
    prepare: [otherSession],
    ask: ask('PUT', (scene) => `/v1/session/destroy/${scene.lockId}`),
    proof: 'changed',
  },
  "session.destroy, one's own lock": {
    perAsker: true,
    prepare: [ownLock(CONSUL_ALIAS)],
    ask: ask('PUT', (scene) => `/v1/session/destroy/${scene.lockId}`),
    proof: 'changed',
  },
  "session.destroy, another's lock": {
    prepare: [otherLock(CONSUL_ALIAS)],
    ask: ask('PUT', (scene) => `/v1/session/destroy/${scene.lockId}`),
    proof: 'changed',
  },
  "session.info, one's own session": {
    ...tells((scene) => `/v1/session/info/${scene.lockId}`, lockId),
    perAsker: true,
    prepare: [ownSession],
  },
  "session.info, another's session": {
    ...tells((scene) => `/v1/session/info/${scene.lockId}`, lockId),
    prepare: [otherSession],
  },
  "session.list, each of one's own": {
    ...tells('/v1/session/list', lockId),
    perAsker: true,
    prepare: [ownSession],
  },
  "session.node, each of one's own": {
    ...tells('/v1/session/node/statehouse', lockId),
    perAsker: true,
    prepare: [ownSession],
  },
  'status.leader, the service': tells('/v1/status/leader', 'statehouse'),
  'status.peers, the service': tells('/v1/status/peers', 'statehouse'),
  'agent.self, the service': tells('/v1/agent/self', 'dc1'),
  'catalog.datacenters, the service': tells('/v1/catalog/datacenters', 'dc1'),
  'acl.token.self, oneself': tells('/v1/acl/token/self', 'AccessorID'),
};
