import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditShape } from '../../src/api/shapes/house.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';
import { failure, s3Client } from '../protocols/aws/sdk.ts';
import { signWithSmithy } from '../protocols/aws/request-signers.ts';
import { callApi } from './api-client.ts';

const NET = '/http/acme/net';

describe('the audit log has', () => {
  let house: TestHouse;
  let ci: Pair;

  beforeEach(async () => {
    house = await TestHouse.open();
    ci = await house.credential('ci', [{ role: 'writer', pattern: 'sandbox/*' }]);
    await house.ask('POST', NET, { body: sampleState(1) });
  });
  afterEach(() => house.close());

  const records = async (query = ''): Promise<readonly AuditShape[]> =>
    (await callApi(house, `GET /audit?limit=100${query}`)).json['records'] as unknown as AuditShape[];
  const refused = async (): Promise<string[]> =>
    (await records())
      .filter((record) => record.refused !== null)
      .map(({ action, subject, address, refused: why }) => `${subject} ${action} ${address ?? '-'} ${why}`)
      .toReversed();

  it('whoever asked for what its role does not allow, at any door', async () => {
    const as = ci;
    await house.ask('GET', NET, { as });
    await house.ask('POST', NET, { body: sampleState(2), as });
    await house.ask('LOCK', NET, { body: sampleLock('mine'), as });
    await house.ask('UNLOCK', NET, { body: sampleLock('mine'), as });
    await house.ask('DELETE', NET, { as });
    expect(
      await failure(s3Client(house.url, ci).send(new GetObjectCommand({ Bucket: 'acme', Key: 'net' }))),
    ).toBe('AccessDenied 403');
    await callApi(house, 'GET /audit', { as });
    await callApi(house, 'POST /credentials', {
      as,
      body: { name: 'me', grants: [{ role: 'admin', pattern: '*' }] },
    });
    await callApi(house, 'GET /credentials', { as });
    await house.ask('GET', '/api/v1/backup', { as });
    await callApi(house, 'POST /rotate-key', { as });
    await callApi(house, 'GET /state/versions?address=acme/net', { as });
    expect(await refused()).toEqual([
      'token:ci read acme/net forbidden',
      'token:ci write acme/net forbidden',
      'token:ci lock acme/net forbidden',
      'token:ci unlock acme/net forbidden',
      'token:ci delete acme/net forbidden',
      'token:ci read acme/net forbidden',
      'token:ci read-audit - forbidden',
      'token:ci credential-create - forbidden',
      'token:ci list-credentials - forbidden',
      'token:ci manage - forbidden',
      'token:ci list-versions acme/net forbidden',
    ]);
    const first = (await records()).find(({ subject }) => subject === 'token:ci');
    expect(first).toMatchObject({ credential: ci.id, peer: expect.stringMatching(/127\.0\.0\.1/) });
  });

  it('what the rules refused: held, stale, fenced, another holder, a break-in', async () => {
    const team = await house.credential('team', [{ role: 'writer', pattern: 'acme/*' }]);
    await house.ask('LOCK', NET, { body: sampleLock('holder') });
    await house.ask('LOCK', NET, { body: sampleLock('other'), as: team });
    await house.ask('POST', `${NET}?ID=never`, { body: sampleState(2), as: team });
    await house.ask('UNLOCK', NET, { body: sampleLock('other'), as: team });
    await house.ask('UNLOCK', NET, { body: sampleLock('holder'), as: team });
    await house.ask('UNLOCK', NET, { body: sampleLock('holder') });
    await house.ask('POST', NET, { body: sampleState(1).replace('}', ' }'), as: team });
    expect((await refused()).map((line) => line.replace('token:team ', ''))).toEqual([
      'lock acme/net held',
      'write acme/net fenced',
      'unlock acme/net not-holder',
      'unlock acme/net may-not-break',
      'write acme/net stale',
    ]);
    const stale = (await records('&action=write')).find((record) => record.refused === 'stale');
    expect(stale).toMatchObject({ detail: { reason: 'serial-equal' } });
    expect((await records('&action=lock')).find((record) => record.refused === 'held')).toMatchObject({
      detail: { lock: 'other' },
    });
  });

  it('who was not let in, by no more than the id of a credential that is one', async () => {
    const gone = await house.credential('gone', [{ role: 'reader', pattern: '*' }]);
    await callApi(house, `DELETE /credentials/${gone.id}`);
    const wrong = 'W'.repeat(40);
    const s3 = s3Client(house.url, { id: ci.id, secret: wrong });
    await house.ask('GET', NET, { as: { id: TEST_ADMIN.id, secret: wrong } });
    await house.ask('GET', NET, { as: { id: 'SHNOBODYNOBODY12', secret: 'hunter2hunter2' } });
    await house.ask('GET', '/api/v1/whoami', { as: gone });
    await house.ask('GET', NET, { as: null });
    await failure(s3.send(new GetObjectCommand({ Bucket: 'acme', Key: 'net' })));
    const found = (await records('&action=enter')).toReversed();
    expect(found.map(({ refused: why, credential, door }) => [door, why, credential])).toEqual([
      ['http', 'wrong-secret', TEST_ADMIN.id],
      ['http', 'unknown-credential', null],
      ['api', 'revoked', gone.id],
      ['http', 'no-credential', null],
      ['s3', 'wrong-secret', ci.id],
    ]);
    expect(found.every(({ subject, peer }) => subject === 'stranger' && peer !== null)).toBe(true);
    const text = JSON.stringify(await records());
    for (const secret of [wrong, 'hunter2', 'SHNOBODY', gone.secret]) expect(text).not.toContain(secret);
  });

  it('an expired credential that came to the API', async () => {
    const late = await house.credential('late', [{ role: 'admin', pattern: '*' }], Date.now() + 300);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect((await callApi(house, 'GET /whoami', { as: late })).status).toBe(401);
    expect(await refused()).toEqual(['token:late enter - expired']);
  });

  it('who looked at what is no content, once a minute, and each read of content', async () => {
    for (let time = 0; time < 3; time += 1) {
      await callApi(house, 'GET /states?project=acme');
      await callApi(house, 'GET /state/versions?address=acme/net');
      await callApi(house, 'GET /state/lock?address=acme/net');
      await callApi(house, 'GET /locks');
      await callApi(house, 'GET /credentials');
      await house.ask('GET', NET);
    }
    const actions = (await records()).map(({ action }) => action).filter((action) => action !== 'write');
    expect(actions.toSorted()).toEqual([
      'credential-create',
      'credential-create',
      'list-credentials',
      'list-locks',
      'list-states',
      'list-versions',
      'read',
      'read',
      'read',
      'read-lock',
    ]);
  });

  it('that a URL was used that somebody had signed beforehand', async () => {
    const unsigned = {
      method: 'GET',
      host: new URL(house.url).host,
      path: '/acme/net',
      query: [],
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    };
    const signed = await signWithSmithy(
      { ...unsigned, service: 's3', region: 'us-east-1', body: '', date: new Date() },
      60,
      TEST_ADMIN,
    );
    const target = `${signed.path}?${signed.query}`;
    expect((await house.ask('GET', target, { as: null })).status).toBe(200);
    await house.ask('GET', NET);
    const reads = await records('&action=read');
    expect(reads.map(({ presigned }) => presigned)).toEqual([false, true]);
  });

  it('nothing of it in the feed of changes', async () => {
    const { position } = await house.engine.changes(null, 1);
    await house.ask('GET', NET, { as: ci });
    await callApi(house, 'GET /state/versions?address=acme/net');
    await house.ask('GET', NET);
    await house.house.audit.flush();
    expect(await house.engine.changes(position, 10)).toMatchObject({ records: [] });
  });
});
