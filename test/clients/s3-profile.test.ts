import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClient } from '../../src/protocols/backends.ts';
import type { BackendAttributes } from '../../src/protocols/attributes.ts';
import { readS3Config } from '../../src/protocols/s3/client/config.ts';
import { withProfile } from '../../src/protocols/s3/client/profile.ts';
import { stateText } from '../../src/contract/client-contract.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { TestHouse } from '../support/open-test-house.ts';

const BUCKET = { bucket: 'b', key: 'k' };
const CONFIG = `# a comment
[default]
region = us-east-1
endpoint_url = http://default

[profile plain]
endpoint_url = http://plain   ; where it is
ca_bundle = /plain.pem
s3 =
  addressing_style = path
  endpoint_url = http://not-this

[profile split]
services = parts
endpoint_url = http://rest

[ services  parts ]
dynamodb =
  endpoint_url = http://dynamo
s3 =
  signature_version = s3v4
  endpoint_url = http://objects

[profile ignoring]
endpoint_url = http://plain
ignore_configured_endpoint_urls = TRUE

[profile broken]
services = gone

[profile both]
region = eu-west-1
`;
const CREDENTIALS = `[both]\naws_access_key_id = a\naws_secret_access_key = s\nendpoint_url = http://beside\n`;

describe('where a profile sends requests', () => {
  let home = '';
  const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    AWS_CONFIG_FILE: join(home, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, 'credentials'),
    ...more,
  });
  const found = async (
    attributes: BackendAttributes,
    more: Readonly<Record<string, string>> = {},
    noExternal = false,
  ): Promise<unknown> => {
    const { endpoints } = await withProfile(
      readS3Config({ ...BUCKET, ...attributes }, env(more), noExternal),
    );
    return [endpoints.s3, endpoints.dynamodb, endpoints.sts];
  };
  const all = (url: string | null): unknown => [url, url, url];

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'statehouse-profile-'));
    writeFileSync(join(home, 'config'), CONFIG);
    writeFileSync(join(home, 'credentials'), CREDENTIALS);
  });
  afterAll(() => rmSync(home, { recursive: true }));

  it('is its endpoint_url, of one service before that of all', async () => {
    expect(await found({})).toEqual(all('http://default'));
    expect(await found({ profile: 'plain' })).toEqual(all('http://plain'));
    expect(await found({}, { AWS_PROFILE: 'plain' })).toEqual(all('http://plain'));
    expect(await found({ profile: 'split' }, { AWS_PROFILE: 'plain' })).toEqual([
      'http://objects',
      'http://dynamo',
      'http://rest',
    ]);
    expect(await found({ profile: 'both' })).toEqual(all('http://beside'));
    expect(await found({ profile: 'unknown' })).toEqual(all(null));
  });

  it('comes after what the block and the environment say', async () => {
    const split = { profile: 'split' };
    expect(await found(split, { AWS_ENDPOINT_URL: 'http://env' })).toEqual(all('http://env'));
    expect(
      await found(split, { AWS_ENDPOINT_URL: 'http://env', AWS_ENDPOINT_URL_DYNAMODB: 'http://envs' }),
    ).toEqual(['http://env', 'http://envs', 'http://env']);
    expect(await found(split, { AWS_ENDPOINT_URL_S3: 'http://env' })).toEqual([
      'http://env',
      'http://dynamo',
      'http://rest',
    ]);
    expect(
      await found({ ...split, endpoints: { s3: 'http://block' } }, { AWS_ENDPOINT_URL_S3: 'http://env' }),
    ).toEqual(['http://block', 'http://dynamo', 'http://rest']);
  });

  it('does not count where that is asked for', async () => {
    const ignore = { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    expect(await found({ profile: 'split' }, { ...ignore, AWS_ENDPOINT_URL: 'http://env' })).toEqual(
      all(null),
    );
    expect(await found({ profile: 'plain' }, { ...ignore, AWS_ENDPOINT_URL_S3: 'http://env' })).toEqual(
      all(null),
    );
    expect(await found({ profile: 'ignoring' })).toEqual(all(null));
    expect(await found({ endpoints: { s3: 'http://block' } }, ignore)).toEqual(['http://block', null, null]);
    const kept = await withProfile(readS3Config({ ...BUCKET, profile: 'plain' }, env(ignore)));
    expect(kept.caBundle).toBe('/plain.pem');
  });

  it('is not chosen by a folder that is not trusted', async () => {
    expect(await found({ profile: 'plain' }, {}, true)).toEqual(all('http://default'));
  });

  it('is said to be unknown when a section or a file cannot be read', async () => {
    await expect(found({ profile: 'broken' })).rejects.toThrow('[services gone]');
    await expect(found({}, { AWS_CONFIG_FILE: home })).rejects.toThrow('cannot be read');
    expect(await found({}, { AWS_CONFIG_FILE: join(home, 'none') })).toEqual(all(null));
  });

  it('is where states and both locks are kept', async () => {
    await using house = await TestHouse.open();
    const { id, secret } = await house.credential('profile', [{ role: 'writer', pattern: 'app/*' }]);
    const file = join(home, 'house');
    writeFileSync(
      file,
      `[profile house]\nregion = us-east-1\nservices = house\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n` +
        `[services house]\ns3 =\n  endpoint_url = ${house.url}\ndynamodb =\n  endpoint_url = ${house.url}\n`,
    );
    const client = await openClient({
      type: 's3',
      attributes: {
        bucket: 'app',
        key: 'net',
        profile: 'house',
        shared_config_files: [file],
        use_lockfile: true,
        dynamodb_table: 'locks',
      },
      folder: '/',
      env: env(),
    });
    const lock = await client.lock('default', makeLockRequest('test', 'default'), {
      milliseconds: 0,
      signal: null,
    });
    expect(lock.type).toBe('locked');
    await client.write('default', stateText(1, 'l'), lock.type === 'locked' ? lock.lock : null);
    expect((await house.ask('GET', '/http/app/net')).text).toBe(Buffer.from(stateText(1, 'l')).toString());
    await client.close();
  });
});
