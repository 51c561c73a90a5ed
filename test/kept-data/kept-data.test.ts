import { CompleteMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAddress, type Address } from '../../src/core/address.ts';
import { s3Client } from '../protocols/aws/sdk.ts';
import { HouseProcess } from '../support/house-process.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { ask, type Answer, type Ask } from '../support/request.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { copyDirectory, openKeptDirectory, openKeptSchema, statesOf, type KeptHouse } from './kept-house.ts';

const HERE = new URL('./', import.meta.url);
const programs = await findPostgres();

const versions = readdirSync(HERE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({ name, data: new URL(name, HERE).pathname }));

describe.each(versions)('the data of $name', ({ data }) => {
  describe('in a data directory', () => {
    opensWhole(data, () => openKeptDirectory(data));

    it('is served by the program that is started on it', async () => {
      const directory = await copyDirectory(data);
      await expect(HouseProcess.start({ directory })).rejects.toThrow(
        /not authenticated.*--adopt-unauthenticated/,
      );
      await using house = await HouseProcess.start({ directory, flags: ['--adopt-unauthenticated'] });
      const newest = (await statesOf(data)).get('acme/net/terraform.tfstate@default')?.at(-1);
      expect((await ask(house.url, 'GET', '/http/acme/net/terraform.tfstate')).text).toBe(newest);
      const refused = await ask(house.url, 'LOCK', '/http/acme/held', { body: sampleLock('other') });
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([423, { ID: 'held-apply' }]);
      await house.stop();
      rmSync(directory, { recursive: true });
    });
  });

  describe.skipIf(programs === null)('in PostgreSQL (skipped unless postgres is on PATH)', () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await PostgresServer.start(programs!);
    });
    afterAll(() => server[Symbol.asyncDispose]());
    opensWhole(data, () => openKeptSchema(data, server));
  });
});

function opensWhole(data: string, open: () => Promise<KeptHouse>): void {
  it('has every version of every state, byte for byte', async () => {
    await using kept = await open();
    const all = await kept.engine.states({ used: true, limit: 100 });
    const named = all.map(({ address: { project, key, workspace } }) => `${project}/${key}@${workspace}`);
    expect(named).toEqual(kept.facts.addresses);
    const states = [...(await statesOf(data))].filter(([address]) => named.includes(address));
    for (const [address, texts] of states) {
      const history = await kept.engine.versions(addressOf(address), { limit: 100 });
      expect(history.map(({ number }) => number)).toEqual(texts.map((_, at) => texts.length - at));
      for (const [at, text] of texts.entries()) {
        const target = `/api/v1/state/content?address=${encodeURIComponent(address)}&version=${at + 1}`;
        expect((await asking(kept)('GET', target)).text).toBe(text);
      }
    }
    expect(states.map(([, texts]) => texts.length)).toEqual([3, 2, 1, 1, 1]);
    for (const project of new Set(states.map(([address]) => addressOf(address).project))) {
      const texts = states.filter(([address]) => addressOf(address).project === project);
      expect(await kept.engine.usage(project)).toEqual({
        states: texts.length,
        versions: texts.flatMap(([, all]) => all).length,
        bytes: texts.flatMap(([, all]) => all).reduce((sum, text) => sum + Buffer.byteLength(text), 0),
      });
    }
  });

  it('knows what each version says and how it was written', async () => {
    await using kept = await open();
    const newest = await kept.engine.version(addressOf('acme/net/terraform.tfstate'), 3);
    const written = { serial: 2n ** 53n + 1n, lineage: 'net', terraformVersion: '1.11.4', encrypted: false };
    const by = { subject: 'token:ci', door: 'http', lockId: 'net-apply', fence: 1, forced: false };
    expect(newest).toMatchObject({ ...written, ...by, operation: 'OperationTypeApply', restoredFrom: null });
    expect(await kept.engine.version(addressOf('acme/sealed'), 1)).toMatchObject({ encrypted: true });
    expect(await kept.engine.version(addressOf('beta/app@dev'), 1)).toMatchObject({ size: 40_000 });
  });

  it('keeps a deleted state away from readers until it is brought back', async () => {
    await using kept = await open();
    const to = asking(kept);
    expect((await to('GET', '/http/acme/dns')).status).toBe(404);
    expect((await to('POST', '/api/v1/state/undelete?address=acme/dns')).status).toBe(200);
    expect((await to('GET', '/http/acme/dns')).text).toBe(
      (await statesOf(data)).get('acme/dns@default')?.at(-1),
    );
  });

  it('has the locks, alone or shared, and the line', async () => {
    await using kept = await open();
    const { record, holders, line } = await kept.engine.world(addressOf('acme/held'));
    expect(holders).toMatchObject([{ lockId: 'held-apply', subject: 'token:ci', fence: 1, accepted: true }]);
    // The open request ended with its server, and its client keeps its place like one that came back and sleeps.
    expect(line).toMatchObject([
      { waiter: 'held-asleep', ticket: 1, asks: 1, seat: null },
      { waiter: 'held-parked', ticket: 2, asks: 2, seat: null },
    ]);
    expect(record).toMatchObject({ fence: 1, lastTicket: 2, lastRelease: 0 });
    const plans = await kept.engine.world(addressOf('acme/plans'));
    expect(plans.holders.map(({ lockId, shared }) => [lockId, shared])).toEqual([
      ['plan-1', true],
      ['plan-2', true],
    ]);
    const to = asking(kept);
    const refused = await to('LOCK', '/http/acme/held', { body: sampleLock('other') });
    expect(refused.status).toBe(423);
    const info = JSON.parse(sampleLock('held-apply')) as object;
    expect(JSON.parse(refused.text)).toMatchObject({ ...info, Info: expect.stringContaining('token:ci') });
    const third = await to('LOCK', '/http/acme/plans', { body: sampleLock('plan-3', 'OperationTypePlan') });
    expect(third.status).toBe(200);
    const { live } = kept.facts.credentials;
    const late = await to('POST', '/http/acme/held?ID=other', {
      body: sampleState(2, { lineage: 'held' }),
      as: live,
    });
    expect(late.status).not.toBe(200);
    const own = await to('POST', '/http/acme/held?ID=held-apply', {
      body: sampleState(2, { lineage: 'held' }),
      as: live,
    });
    expect(own.status).toBe(200);
    expect((await to('UNLOCK', '/http/acme/held', { body: sampleLock('held-apply'), as: live })).status).toBe(
      200,
    );
    const next = await to('LOCK', '/http/acme/held', { body: sampleLock('held-asleep') });
    expect(next.status).toBe(200);
  });

  it('remembers which locks were released and broken', async () => {
    await using kept = await open();
    const to = asking(kept);
    const { live } = kept.facts.credentials;
    const net = { body: sampleLock('net-apply'), as: live };
    const resent = await to('UNLOCK', '/http/acme/net/terraform.tfstate', net);
    expect(resent.status).toBe(200);
    const spent = await to('LOCK', '/http/acme/net/terraform.tfstate', net);
    expect(spent.status).toBe(410);
    expect(spent.text).toMatch(/released/);
    expect(
      await to('LOCK', '/http/acme/broken', { body: sampleLock('broken-apply'), as: live }),
    ).toMatchObject({
      status: 410,
    });
    expect((await to('LOCK', '/http/acme/broken', { body: sampleLock('by-other-hand') })).status).toBe(410);
    expect((await to('LOCK', '/http/acme/broken', { body: sampleLock('new') })).status).toBe(200);
    const { record } = await kept.engine.world(addressOf('acme/broken'));
    expect(record).toMatchObject({ lastRelease: 2, fence: 3 });
  });

  it('takes back a lock that was handed to a waiter that nobody told', async () => {
    await using kept = await open();
    expect((await kept.engine.world(addressOf('acme/handed'))).holders).toEqual([]);
    const [note] = await kept.engine.audit({ action: 'lock-taken-back', limit: 1 });
    expect(note).toMatchObject({ address: { key: 'handed' }, note: { detail: { lock: 'handed-to' } } });
    expect((await asking(kept)('LOCK', '/http/acme/handed', { body: sampleLock('next') })).status).toBe(200);
  });

  it('lets in those who may enter, and nobody else', async () => {
    await using kept = await open();
    const to = asking(kept);
    const { live, expired, revoked } = kept.facts.credentials;
    const me = async (as: Pair): Promise<number> => (await to('GET', '/api/v1/whoami', { as })).status;
    expect([
      await me(live),
      await me(expired),
      await me(revoked),
      await me({ ...live, secret: 'wrong' }),
    ]).toEqual([200, 401, 401, 401]);
    expect((await to('GET', '/http/acme/sealed', { as: live })).status).toBe(200);
    expect((await to('GET', '/http/beta/app?workspace=dev', { as: live })).status).toBe(403);
    expect(await kept.engine.credentials()).toHaveLength(4);
  });

  it('has what the doors remember by name, and the audit log', async () => {
    await using kept = await open();
    const { attributes } = (await kept.engine.entries('project')).find(({ name }) => name === 'acme') ?? {};
    expect(attributes).toMatchObject({ keepVersions: 50 });
    expect(attributes?.['s3-publicAccessBlock']).toContain('<BlockPublicAcls>true</BlockPublicAcls>');
    expect(await kept.engine.entries('dynamodb-table')).toMatchObject([{ name: 'locks' }]);
    const notes = await kept.engine.audit({ before: kept.facts.auditRecords + 1, limit: 1_000 });
    expect(notes).toHaveLength(kept.facts.auditRecords);
    const broken = await kept.engine.audit({ action: 'force-unlock', limit: 9 });
    expect(broken).toMatchObject([{ note: { detail: { lock: 'broken-apply', holder: 'token:ci' } } }]);
    expect((await kept.engine.audit({ address: addressOf('acme/dns'), limit: 9 })).length).toBeGreaterThan(2);
  });

  it('completes an upload that was begun', async () => {
    await using kept = await open();
    const [whole = ''] = (await statesOf(data)).get('acme/pieces@default') ?? [];
    const { id: UploadId, etag: ETag, firstBytes } = kept.facts.upload;
    const client = s3Client(kept.url, undefined, { forcePathStyle: true });
    const upload = { Bucket: 'acme', Key: 'pieces', UploadId };
    const second = await client.send(
      new UploadPartCommand({ ...upload, PartNumber: 2, Body: whole.slice(firstBytes) }),
    );
    const Parts = [ETag, second.ETag].map((etag, at) => ({ PartNumber: at + 1, ETag: etag }));
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    client.destroy();
    expect((await asking(kept)('GET', '/http/acme/pieces')).text).toBe(whole);
  });
}

function asking({ url }: KeptHouse): (method: string, target: string, options?: Ask) => Promise<Answer> {
  return (method, target, options) => ask(url, method, target, options);
}

function addressOf(text: string): Address {
  const address = parseAddress(text);
  if ('problem' in address) throw new Error(address.problem);
  return address;
}
