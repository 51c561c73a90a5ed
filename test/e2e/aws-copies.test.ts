import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram } from '../support/find-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { stateText } from '../protocols/aws/sdk.ts';
import { awsLogin } from './fixtures/s3-folder.ts';

const aws = await findProgram('aws');
/** Large enough that the command copies and sends it in parts. */
const BIG = stateText(1, 'l', { filler: 'x'.repeat(20 * 1024 * 1024) });

describe.skipIf(aws === null)('the aws command (skipped unless aws is on PATH)', () => {
  let directory = '';
  let house: TestHouse;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'statehouse-aws-copies-'));
    await writeFile(join(directory, 'big'), BIG);
    house = await TestHouse.open({
      s3: { account: '000000000000', strict: false, unsignedBodies: false, deleteVersions: true },
    });
  });

  afterAll(async () => {
    await house.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  const run = async (...args: readonly string[]): Promise<string> => {
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '',
      ...awsLogin(house.url),
    };
    const { code, output } = await new RunningProgram(aws!, [...args], { cwd: directory, env }).end;
    return `${code} ${output}`;
  };

  it('copies and moves a large state from bucket to bucket, in parts', async () => {
    expect(await run('s3', 'cp', 'big', 's3://one/net.tfstate')).toMatch(/^0 /);
    expect(await run('s3', 'cp', 's3://one/net.tfstate', 's3://two/net.tfstate')).toMatch(/^0 /);
    expect(await run('s3', 'mv', 's3://two/net.tfstate', 's3://three/net.tfstate')).toMatch(/^0 /);
    expect(await run('s3', 'cp', 's3://three/net.tfstate', 'down')).toMatch(/^0 /);
    expect(await readFile(join(directory, 'down'), 'utf8')).toBe(BIG);
    expect(await run('s3api', 'head-object', '--bucket', 'two', '--key', 'net.tfstate')).not.toMatch(/^0 /);
  }, 120_000);

  it('brings a bucket in and out with sync, byte for byte', async () => {
    const states = { 'net.tfstate': `${stateText(3)}\n\n`, 'env:/dev/net.tfstate': stateText(4) };
    await mkdir(join(directory, 'old', 'env:', 'dev'), { recursive: true });
    for (const [name, text] of Object.entries(states)) await writeFile(join(directory, 'old', name), text);
    expect(await run('s3', 'sync', 'old', 's3://synced')).toMatch(/^0 /);
    expect(await run('s3', 'sync', 's3://synced', 'back')).toMatch(/^0 /);
    for (const [name, text] of Object.entries(states))
      expect(await readFile(join(directory, 'back', name), 'utf8')).toBe(text);
  }, 120_000);

  it('empties a bucket of all versions, where the server lets admins do that', async () => {
    expect(await run('s3api', 'create-bucket', '--bucket', 'full')).toMatch(/^0 /);
    for (const serial of [1, 2, 3]) {
      await writeFile(join(directory, 'small'), stateText(serial));
      expect(await run('s3', 'cp', 'small', 's3://full/net.tfstate')).toMatch(/^0 /);
    }
    expect(await run('s3', 'rm', 's3://full/net.tfstate')).toMatch(/^0 /);
    const versions = '{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}}';
    const named = ['--bucket', 'full', '--query', versions, '--output', 'json'];
    const listed = await run('s3api', 'list-object-versions', ...named);
    await writeFile(join(directory, 'objects.json'), listed.slice(2));
    expect(
      await run('s3api', 'delete-objects', '--bucket', 'full', '--delete', 'file://objects.json'),
    ).not.toContain('Errors');
    expect(await run('s3', 'rb', 's3://full')).toMatch(/^0 /);
  }, 120_000);
});
