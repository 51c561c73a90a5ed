import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLongRun } from '../support/amount.ts';
import { findProgram } from '../support/find-program.ts';
import { findMoto, MotoServer } from '../support/moto-server.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram, type ProgramEnd } from '../support/running-program.ts';
import { differences, plain } from './fixtures/difference.ts';
import { awsLogin } from './fixtures/s3-folder.ts';

const aws = await findProgram('aws');
const moto = await findMoto();

const BUCKET = 'my-terraform-state-bucket';
const KEY = 'project-name/env-name/terraform.tfstate';
const TABLE = 'terraform-locks';
const LOCK_ID = `${BUCKET}/${KEY}`;
const INFO = JSON.stringify({
  ID: '843f424e-0e01-9622-0c3b-0f6225b43d10',
  Operation: 'OperationTypeApply',
  Info: '',
  Who: 'user@host',
  Version: '1.11.4',
  Created: '2026-11-20T05:42:24.445834874Z',
  Path: LOCK_ID,
});

const s3 = (operation: string, ...args: string[]): string[] => [
  's3api',
  operation,
  '--bucket',
  BUCKET,
  ...args,
];
const db = (operation: string, ...args: string[]): string[] => [
  'dynamodb',
  operation,
  '--table-name',
  TABLE,
  ...args,
];
const item = (value: object): string => JSON.stringify(value);
const key = item({ LockID: { S: LOCK_ID } });
// Another run than the one that takes the lock file: each lock ID has its lock once.
const ITEM_INFO = INFO.replace('843f', '743f');
const lock = item({ LockID: { S: LOCK_ID }, Info: { S: ITEM_INFO } });
const condition = ['--condition-expression', 'attribute_not_exists(LockID)'];
const HASH = [
  '--attribute-definitions',
  'AttributeName=LockID,AttributeType=S',
  '--key-schema',
  'AttributeName=LockID,KeyType=HASH',
];

/** The commands of tutorials, in their order: `@1` and `@2` are states on the disk, `@down` where one is put. */
const S3_STEPS: readonly (readonly string[])[] = [
  s3('head-bucket'),
  s3('create-bucket'),
  s3('head-bucket'),
  s3('get-bucket-location'),
  s3('get-bucket-versioning'),
  s3('put-bucket-versioning', '--versioning-configuration', 'Status=Enabled'),
  s3('get-bucket-versioning'),
  s3(
    'put-bucket-encryption',
    '--server-side-encryption-configuration',
    '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}',
  ),
  s3('get-bucket-encryption'),
  s3('get-public-access-block'),
  s3(
    'put-public-access-block',
    '--public-access-block-configuration',
    'BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true',
  ),
  s3('get-public-access-block'),
  s3('get-bucket-tagging'),
  s3('put-bucket-tagging', '--tagging', 'TagSet=[{Key=team,Value=net}]'),
  s3('get-bucket-tagging'),
  ['s3api', 'list-buckets'],
  ['s3', 'ls'],
  ['s3', 'cp', '@1', `s3://${BUCKET}/${KEY}`, '--no-progress'],
  s3('head-object', '--key', KEY),
  s3('get-object', '--key', KEY, '@down'),
  s3('get-object', '--key', KEY, '--range', 'bytes=0-9', '@down'),
  s3('get-object', '--key', KEY, '--if-match', 'nonsense', '@down'),
  ['s3', 'cp', '@2', `s3://${BUCKET}/${KEY}`, '--no-progress'],
  ['s3', 'cp', `s3://${BUCKET}/${KEY}`, '@down', '--no-progress'],
  ['s3', 'ls', '--recursive', `s3://${BUCKET}`],
  ['s3', 'ls', `s3://${BUCKET}`],
  s3('list-objects-v2'),
  s3('list-objects-v2', '--prefix', 'project-name/', '--delimiter', '/'),
  s3('list-objects-v2', '--prefix', 'nothing'),
  s3('list-objects', '--prefix', 'project'),
  s3('list-object-versions'),
  s3('put-object', '--key', `${KEY}.tflock`, '--body', '@lock', '--if-none-match', '*'),
  s3('put-object', '--key', `${KEY}.tflock`, '--body', '@other-lock', '--if-none-match', '*'),
  s3('get-object', '--key', `${KEY}.tflock`, '@down'),
  s3('delete-object', '--key', `${KEY}.tflock`),
  s3('get-object', '--key', `${KEY}.tflock`, '@down'),
  s3('delete-object', '--key', KEY),
  s3('head-object', '--key', KEY),
  s3('list-object-versions'),
];

const DYNAMODB_STEPS: readonly (readonly string[])[] = [
  ['sts', 'get-caller-identity'],
  ['dynamodb', 'list-tables'],
  db('describe-table'),
  db('create-table', ...HASH, '--billing-mode', 'PAY_PER_REQUEST'),
  db('create-table', ...HASH, '--billing-mode', 'PAY_PER_REQUEST'),
  db('wait', 'table-exists'),
  db('describe-table'),
  ['dynamodb', 'list-tables'],
  db('get-item', '--key', key),
  db('put-item', '--item', lock, ...condition),
  db('put-item', '--item', lock.replace('743f', '643f'), ...condition),
  db('get-item', '--key', key, '--consistent-read', '--projection-expression', 'LockID, Info'),
  db(
    'query',
    '--key-condition-expression',
    'LockID = :id',
    '--expression-attribute-values',
    item({ ':id': { S: LOCK_ID } }),
    '--projection-expression',
    'LockID, Info',
  ),
  db('scan', '--filter-expression', 'attribute_exists(Info)', '--projection-expression', 'LockID'),
  db('get-item', '--key', item({ Other: { S: 'x' } })),
  db(
    'update-item',
    '--key',
    key,
    '--update-expression',
    'SET Info = :i',
    '--expression-attribute-values',
    item({ ':i': { S: ITEM_INFO } }),
  ),
  db(
    'delete-item',
    '--key',
    key,
    '--condition-expression',
    'Info = :i',
    '--expression-attribute-values',
    item({ ':i': { S: 'other' } }),
  ),
  db('delete-item', '--key', key),
  db('get-item', '--key', key),
  db('delete-item', '--key', key),
  db('delete-table'),
  db('describe-table'),
  db('create-table', ...HASH, '--provisioned-throughput', 'ReadCapacityUnits=1,WriteCapacityUnits=1'),
];

/** Every difference that there is, and why it is there. */
const DIFFERENCES: readonly (readonly [where: RegExp, why: string])[] = [
  [/^sts get-caller-identity: answer\.Arn/, 'the caller is named by its own credential'],
  [
    /^s3api head-bucket: answer\.AccessPointAlias/,
    'S3 says that the bucket is no access point; moto does not',
  ],
  [/^s3api get-bucket-versioning: answer: \{"Status":"Enabled"\}/, 'every version is kept, asked for or not'],
  [/^s3api list-buckets: answer\.Buckets\.0\.BucketRegion/, 'S3 says it; moto does not'],
  [/Owner\.(?:DisplayName|ID): "statehouse"/, 'everything is the house’s, and moto makes owners up'],
  [
    /^s3api (?:get|head)-object: answer\.ContentType: "application\/json"/,
    'states are JSON, whatever type they came with',
  ],
  [
    /^s3api (?:get|head)-object: answer\.CacheControl: "no-store"/,
    'a state has secrets, and is kept by no cache',
  ],
  [
    /^s3api (?:get|put)-object: answer\.Checksum/,
    'the house keeps the SHA-256 of a state and confirms that one',
  ],
  [/^s3api list-objects-v2: answer\.Contents\.0\.ChecksumAlgorithm/, 'the same: no other checksum is kept'],
  [
    /^s3api (?:put|get)-object: answer\.VersionId: absent/,
    'a lock file is the lock, and a lock has no versions',
  ],
  [/^s3api delete-object: answer: "" \|/, 'the same: its deletion leaves no mark'],
  [
    /^s3api list-object-versions: answer\.(?:Versions\.2|DeleteMarkers\.1): absent/,
    'the same: nothing of it is left',
  ],
  [/TableId: "ID" \| absent/, 'the service gives tables an ID; moto does not'],
  [/LastUpdateToPayPerRequestDateTime: "TIME" \| absent/, 'the service says it; moto does not'],
  [/SecondaryIndexes: absent \| \{\}/, 'the service leaves them out where there are none'],
  [/WarmThroughput: absent/, 'a lock table promises no throughput'],
  [
    /^dynamodb create-table: answer\.TableDescription\.BillingModeSummary: absent/,
    'the service leaves it out for provisioned tables',
  ],
  [/^dynamodb delete-table: .*TableStatus: "DELETING"/, 'the service says that it is being deleted'],
  [/^dynamodb update-item: answer: "" \|/, 'capacity is told to those who ask for it'],
];

describe.skipIf(aws === null || moto === null || !isLongRun)(
  'the aws command, here and at moto (in the long run; skipped unless aws and moto_server are on PATH)',
  () => {
    let house: TestHouse;
    let server: MotoServer;
    let directory = '';

    beforeAll(async () => {
      house = await TestHouse.open();
      server = await MotoServer.start(moto!);
      directory = await mkdtemp(join(tmpdir(), 'statehouse-aws-'));
      const state = (serial: number): string =>
        JSON.stringify({
          version: 4,
          terraform_version: '1.11.4',
          serial,
          lineage: 'l',
          outputs: {},
          resources: [],
        });
      await writeFile(join(directory, '1'), state(1));
      await writeFile(join(directory, '2'), state(2));
      await writeFile(join(directory, 'lock'), INFO);
      await writeFile(join(directory, 'other-lock'), INFO.replace('843f', '943f'));
    }, 120_000);

    afterAll(async () => {
      await house.close();
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    const run = (url: string, side: string, args: readonly string[]): Promise<ProgramEnd> => {
      const files = args.map((arg) =>
        arg.replace(/^@(.*)$/, (_, name: string) => join(directory, name === 'down' ? `down-${side}` : name)),
      );
      const env = {
        PATH: process.env['PATH'],
        ...awsLogin(url),
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_PAGER: '',
      };
      return new RunningProgram(aws!, [...files, '--output', 'json'], { cwd: directory, env }).end;
    };

    const compareAll = async (steps: readonly (readonly string[])[]): Promise<readonly string[]> => {
      const found: string[] = [];
      for (const step of steps) {
        const [ours, theirs] = await Promise.all([
          run(house.url, 'ours', step),
          run(server.url, 'theirs', step),
        ]);
        const seen = differences(plain(ours, directory), plain(theirs, directory));
        found.push(...seen.map((difference) => `${step.slice(0, 2).join(' ')}: ${difference}`));
      }
      return found;
    };

    it('answers the same, but for what is listed with its reason', async () => {
      // One after the other: the lock that is taken by an item is seen as a lock file as well.
      const found = [...(await compareAll(S3_STEPS)), ...(await compareAll(DYNAMODB_STEPS))];
      expect(found.filter((difference) => !DIFFERENCES.some(([where]) => where.test(difference)))).toEqual(
        [],
      );
      const gone = DIFFERENCES.filter(([where]) => !found.some((difference) => where.test(difference)));
      expect(gone.map(([where]) => where.source)).toEqual([]);
    }, 900_000);
  },
);
