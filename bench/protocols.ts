import { sampleLock, sampleState } from '../test/support/sample-state.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { AwsSigner } from './aws-signer.ts';
import type { CyclesOrder } from './cycles-client.ts';

/** All serials have as many digits, so that only they are written anew for each state. */
export const FIRST_SERIAL = 1_000_000_000;
export const LOCK_DIGITS = '0000000000';

/** What a server is spoken to in; `pg` is SQL, the others are HTTP. */
export type Protocol = 'http' | 'http-rs' | 's3' | 'gcs' | 'azure' | 'consul' | 'pg';

/** One request of a cycle. */
export interface Step {
  readonly what: string;
  readonly request: Buffer;
  /** The statuses that it may be answered with. */
  readonly taken: readonly number[];
}

type Place = Pick<CyclesOrder, 'authorization' | 'stateBytes' | 'run'> & {
  readonly sessions?: readonly string[];
};

/** The requests of a cycle that takes a lock, reads a state, writes it and lets the lock go, as the protocol's clients send them. */
export function stepsOf(protocol: Exclude<Protocol, 'pg'>, place: Place, index: number): readonly Step[] {
  return STEPS[protocol](place, `${place.run}-${index}`, index);
}

export function stateOf({ stateBytes }: Pick<Place, 'stateBytes'>, name: string): string {
  return sampleState(FIRST_SERIAL, { lineage: name, size: stateBytes });
}

const LOCK_ID = `lock-${LOCK_DIGITS}`;

const STEPS: Readonly<
  Record<Exclude<Protocol, 'pg'>, (place: Place, name: string, index: number) => readonly Step[]>
> = {
  http: (place, name) => {
    const target = `/http/bench/${name}`;
    const send = sender(place);
    return [
      send('LOCK', target, sampleLock(LOCK_ID), [200]),
      send('GET', target, '', [200, 404]),
      send('POST', `${target}?ID=${LOCK_ID}`, stateOf(place, target), [200]),
      send('UNLOCK', target, sampleLock(LOCK_ID), [200]),
    ];
  },
  'http-rs': (place, name) => {
    const target = `/terraform/${name}`;
    const send = sender(place);
    return [
      send('POST', `${target}/lock`, sampleLock(LOCK_ID), [200]),
      send('GET', target, '', [200, 404]),
      send('POST', `${target}?ID=${LOCK_ID}`, stateOf(place, target), [200]),
      send('DELETE', `${target}/lock`, sampleLock(LOCK_ID), [200]),
    ];
  },
  s3: (place, name) => {
    const signer = new AwsSigner(TEST_ADMIN);
    const path = `/bench/${name}`;
    const lock = `${path}.tflock`;
    const body = sampleLock(LOCK_ID);
    const take = { method: 'PUT', path: lock, headers: { 'if-none-match': '*' }, body, unsignedBody: true };
    const write = { method: 'PUT', path, body: stateOf(place, path), unsignedBody: true };
    return [
      { what: 'lock', request: signer.s3(take), taken: [200] },
      { what: 'read', request: signer.s3({ method: 'GET', path }), taken: [200, 404] },
      { what: 'write', request: signer.s3(write), taken: [200] },
      { what: 'unlock', request: signer.s3({ method: 'DELETE', path: lock }), taken: [204] },
    ];
  },
  gcs: (place, name) => {
    const send = sender(place);
    const upload = (object: string, more: string): string =>
      `/upload/storage/v1/b/bench/o?uploadType=media&name=${object}${more}`;
    const lock = `${name}.tflock`;
    return [
      send('POST', upload(lock, '&ifGenerationMatch=0'), sampleLock(LOCK_ID), [200]),
      send('GET', `/storage/v1/b/bench/o/${name}?alt=media`, '', [200, 404]),
      send('POST', upload(name, ''), stateOf(place, name), [200]),
      send('DELETE', `/storage/v1/b/bench/o/${lock}`, '', [200, 204]),
    ];
  },
  azure: (place, name) => {
    const path = `/devstoreaccount1/states/${name}?${place.authorization}`;
    const send = sender({ authorization: '' }, { 'x-ms-version': '2022-11-02' });
    const lease = '11111111-2222-3333-4444-555555555555';
    const held = { 'x-ms-lease-id': lease };
    const take = {
      'x-ms-lease-action': 'acquire',
      'x-ms-lease-duration': '-1',
      'x-ms-proposed-lease-id': lease,
    };
    const leave = { ...held, 'x-ms-lease-action': 'release' };
    return [
      send('PUT', `${path}&comp=lease`, '', [201], take),
      send('GET', path, '', [200]),
      send('PUT', path, stateOf(place, name), [201], { ...held, 'x-ms-blob-type': 'BlockBlob' }),
      send('PUT', `${path}&comp=lease`, '', [200], leave),
    ];
  },
  consul: (place, name, index) => {
    const session = place.sessions?.[index] ?? '';
    const send = sender(place);
    const path = `/v1/kv/bench/${name}`;
    return [
      send('PUT', `${path}/.lock?acquire=${session}`, '', [200]),
      send('PUT', `${path}/.lockinfo`, sampleLock(LOCK_ID), [200]),
      send('GET', `${path}?raw`, '', [200, 404]),
      send('PUT', path, stateOf(place, name), [200]),
      send('PUT', `${path}/.lock?release=${session}`, '', [200]),
    ];
  },
};

type Send = (
  method: string,
  path: string,
  body: string,
  taken: readonly number[],
  headers?: Readonly<Record<string, string>>,
) => Step;

function sender(
  { authorization }: Pick<Place, 'authorization'>,
  always: Readonly<Record<string, string>> = {},
): Send {
  const credential = authorization === '' ? {} : { Authorization: authorization };
  return (method, path, body, taken, headers = {}) => {
    const lines = Object.entries({ ...credential, ...always, ...headers }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const request = Buffer.from(
      `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Go-http-client/1.1\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n${lines.join('')}Content-Type: application/json\r\n\r\n${body}`,
    );
    return { what: method, request, taken };
  };
}
