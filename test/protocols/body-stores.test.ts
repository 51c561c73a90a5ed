import { describe, expect, it } from 'vitest';
import { bodyStoreContract } from '../../src/contract/body-store-contract.ts';
import type { BodyStore } from '../../src/ports/body-store.ts';
import type { Environment } from '../../src/ports/environment.ts';
import { readBodyPlace } from '../../src/server/bodies/place.ts';
import { openBodyStore } from '../../src/server/bodies/open.ts';
import { AzuritePlace } from '../clients/fixtures/azurite-place.ts';
import { makeBucket } from '../clients/fixtures/moto.ts';
import { AZURITE_ACCOUNT, AZURITE_KEY, findAzurite } from '../support/azurite.ts';
import { FakeGcsServer, findFakeGcs } from '../support/fake-gcs-server.ts';
import { MemoryBodyStore } from '../support/memory-body-store.ts';
import { findMoto, MotoServer } from '../support/moto-server.ts';

const [moto, gcs, azurite] = await Promise.all([findMoto(), findFakeGcs(), findAzurite()]);

async function openAt(text: string, env: Environment): Promise<BodyStore> {
  const place = readBodyPlace(text);
  if (place === null || 'problem' in place) throw new Error(`${text} is no place`);
  return openBodyStore(place, env);
}

bodyStoreContract('a store in memory', async () => ({
  store: new MemoryBodyStore(),
  dispose: async () => undefined,
}));

describe.skipIf(moto === null)('S3', () => {
  bodyStoreContract('S3 (moto)', async () => {
    const server = await MotoServer.start(moto ?? '');
    await makeBucket(server, 'bodies');
    const beside = await openAt('s3://bodies/others', server.env);
    return {
      store: await openAt('s3://bodies/team/states', server.env),
      putBeside: (name) => beside.put(name, [Buffer.from('beside')]),
      dispose: () => server[Symbol.asyncDispose](),
    };
  });
});

describe.skipIf(gcs === null)('Cloud Storage', () => {
  bodyStoreContract('Cloud Storage (fake-gcs-server)', async () => {
    const server = await FakeGcsServer.start(gcs ?? '');
    await server.makeBucket('bodies', false);
    const env = { GOOGLE_OAUTH_ACCESS_TOKEN: 'test' };
    const at = (prefix: string): Promise<BodyStore> =>
      openAt(`gs://bodies/${prefix}?endpoint=${server.url}`, env);
    const beside = await at('others');
    return {
      store: await at('team/states'),
      putBeside: (name) => beside.put(name, [Buffer.from('beside')]),
      dispose: () => server[Symbol.asyncDispose](),
    };
  });
});

describe.skipIf(azurite === null)('Azure', () => {
  bodyStoreContract('Azure (Azurite)', async () => {
    const place = await AzuritePlace.start(azurite ?? '');
    const env = { AZURE_STORAGE_KEY: AZURITE_KEY };
    const query = `account=${AZURITE_ACCOUNT}&endpoint=${place.azurite.endpoint}`;
    const beside = await openAt(`azblob://states/others?${query}`, env);
    return {
      store: await openAt(`azblob://states/team/bodies?${query}`, env),
      putBeside: (name) => beside.put(name, [Buffer.from('beside')]),
      dispose: () => place[Symbol.asyncDispose](),
    };
  });
});

describe('a place of bodies', () => {
  it.each([
    ['s3://bucket', 'bucket', ''],
    ['s3://bucket/', 'bucket', ''],
    ['s3://my.bucket/team/states/?region=eu-central-1', 'my.bucket', 'team/states/'],
    ['gs://bucket/a?endpoint=http://127.0.0.1:4443', 'bucket', 'a/'],
    ['azblob://container/p?account=acme', 'container', 'p/'],
  ])('is read: %s', (text, bucket, prefix) => {
    expect(readBodyPlace(text)).toMatchObject({ bucket, prefix, text });
  });

  it.each([
    ['bucket/prefix', /expected s3:\/\/BUCKET/],
    ['ftp://bucket', /expected s3:\/\/BUCKET/],
    ['s3:///prefix', /expected s3:\/\/BUCKET/],
    ['s3://KEY:SECRET@bucket', /^invalid place: expected no user/],
    ['s3://bucket?regoin=x', /expected no regoin, but region or endpoint/],
    ['s3://bucket?endpoint=localhost:9000', /invalid endpoint/],
    ['s3://bucket/a b', /invalid prefix/],
  ])('is refused, saying what was expected and no secret: %s', (text, says) => {
    const problem = readBodyPlace(text) as { problem: string };
    expect(problem.problem).toMatch(says);
    expect(problem.problem).not.toContain('SECRET');
  });
});

describe.skipIf(moto === null)('a bucket that cannot be used', () => {
  it('is told in words for the operator: that it is missing, and that nobody answers', async () => {
    await using server = await MotoServer.start(moto ?? '');
    const missing = await openAt('s3://nowhere/p', server.env);
    for (const ask of [
      () => missing.put('a', [Buffer.from('b')]),
      () => missing.get('a', 0, 1),
      () => missing.list(null),
    ])
      await expect(ask()).rejects.toThrow(/the body store s3:\/\/nowhere\/p did not .*NoSuchBucket/);
    const { AWS_ENDPOINT_URL, ...env } = server.env;
    const dead = await openAt('s3://bodies?endpoint=http://127.0.0.1:9', env);
    await expect(dead.get('a', 0, 1)).rejects.toMatchObject({
      busy: true,
      message: expect.stringMatching(/does not answer: no answer from 127\.0\.0\.1:9/),
    });
    expect(AWS_ENDPOINT_URL).toBe(server.url);
  });

  it('is told of a credential that is missing', async () => {
    const env = { AWS_EC2_METADATA_DISABLED: 'true', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const store = await openAt('s3://bodies?endpoint=http://127.0.0.1:9', env);
    await expect(store.get('a', 0, 1)).rejects.toThrow(/there is no AWS credential.*Set AWS_ACCESS_KEY_ID/);
  });
});
