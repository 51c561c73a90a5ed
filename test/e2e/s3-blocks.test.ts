import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { resource } from './fixtures/http-folder.ts';
import { awsLogin, s3Backend, s3Folder } from './fixtures/s3-folder.ts';

const terraform = await findTerraform();

/** As tutorials write it, and with what else its documentation lets one write. */
const TUTORIAL = [
  'bucket         = "my-terraform-state-bucket"',
  'key            = "project-name/env-name/terraform.tfstate"',
  'region         = "us-east-1"',
];
const TABLE = 'dynamodb_table = "terraform-locks"';
const KEY = 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=';
const BLOCKS: Readonly<Record<string, readonly string[]>> = {
  'the tutorials’ own': [...TUTORIAL, TABLE, 'encrypt        = true'],
  'without encrypt': [...TUTORIAL, TABLE],
  'without dynamodb_table': [...TUTORIAL, 'encrypt        = true'],
  'with use_lockfile': [...TUTORIAL, 'use_lockfile   = true'],
  'with both locks': [...TUTORIAL, TABLE, 'use_lockfile   = true', 'encrypt        = true'],
  'with kms_key_id': [...TUTORIAL, TABLE, 'encrypt        = true', 'kms_key_id     = "alias/terraform"'],
  'with workspace_key_prefix': [...TUTORIAL, TABLE, 'workspace_key_prefix = "teams/network"'],
  'with sse_customer_key': [
    ...TUTORIAL,
    'use_lockfile   = true',
    'encrypt        = true',
    `sse_customer_key = "${KEY}"`,
  ],
  'with skip_s3_checksum': [...TUTORIAL, TABLE, 'skip_s3_checksum = true'],
  'with assume_role': [
    ...TUTORIAL,
    TABLE,
    'assume_role    = { role_arn = "arn:aws:iam::210987654321:role/teams/terraform", session_name = "ci", external_id = "ext-1", duration = "15m", source_identity = "someone", tags = { team = "net" } }',
    'allowed_account_ids = ["210987654321"]',
  ],
  'with allowed_account_ids': [...TUTORIAL, TABLE, 'allowed_account_ids = ["123456789012"]'],
  'with another region': [...TUTORIAL.slice(0, 2), 'region         = "eu-central-1"', TABLE],
};

const resourcesOf = (text: string): unknown =>
  (JSON.parse(text) as { resources: { name: string }[] }).resources.map(({ name }) => name);

describe.skipIf(terraform === null)(
  'blocks of backend "s3", not a character changed (skipped unless terraform is on PATH)',
  () => {
    let directory = '';
    const houses = new Map<string, TestHouse>();

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'statehouse-s3-'));
      const s3 = { account: '123456789012', strict: false, unsignedBodies: false, deleteVersions: false };
      houses.set('http', await TestHouse.open({ s3 }));
      houses.set(
        'https',
        await TestHouse.open({
          store: { kind: 'directory', path: directory },
          tls: { kind: 'self-signed' },
          s3,
        }),
      );
    }, 60_000);

    afterAll(async () => {
      for (const house of houses.values()) await house.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    });

    const cases = ['http', 'https'].flatMap((scheme) =>
      Object.entries(BLOCKS).map(([name, lines], index) => [name, scheme, lines, index] as const),
    );

    it.each(cases)('%s works over %s from init to destroy', async (_, scheme, lines, index) => {
      const house = houses.get(scheme)!;
      // One bucket a block, so that each begins with nothing.
      const bucket = `${scheme}-bucket-${index}`;
      const own = lines.map((line) => line.replace('my-terraform-state-bucket', bucket));
      await using folder = await s3Folder(
        terraform!,
        { url: house.url, lines: own, env: caOf(house) },
        resource('first'),
      );
      expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(resourcesOf(await folder.must('state', 'pull'))).toEqual(['first']);

      await folder.must('workspace', 'new', 'dev');
      await folder.write('main.tf', resource('second'));
      expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
      expect((await folder.must('workspace', 'list')).split(/[\s*]+/).filter(Boolean)).toEqual([
        'default',
        'dev',
      ]);
      const prefixed = own.some((line) => line.startsWith('workspace_key_prefix'));
      const key = 'project-name/env-name/terraform.tfstate';
      const address = prefixed
        ? { project: bucket, key: `teams/network/dev/${key}`, workspace: 'default' }
        : { project: bucket, key, workspace: 'dev' };
      const read = await house.house.states.describe(ADMIN_CALLER, address);
      expect(read).toMatchObject({ type: 'described', head: { door: 's3' } });
      expect(await folder.must('destroy', '-auto-approve')).toContain('1 destroyed');
      await folder.must('workspace', 'select', 'default');
      await folder.must('workspace', 'delete', 'dev');
      expect(await folder.must('workspace', 'list')).not.toContain('dev');
      await folder.write('main.tf', '');
      expect(await folder.must('destroy', '-auto-approve')).toContain('1 destroyed');
    });

    it('the endpoints block with use_path_style works', async () => {
      const house = houses.get('http')!;
      const { url } = house;
      const lines = [
        ...TUTORIAL,
        TABLE,
        `endpoints      = { s3 = "${url}", dynamodb = "${url}", sts = "${url}", iam = "${url}" }`,
        'use_path_style = true',
        'skip_credentials_validation = true',
        'skip_requesting_account_id  = true',
        'skip_region_validation      = true',
        'skip_metadata_api_check     = true',
      ];
      const env = { AWS_ENDPOINT_URL: '' };
      await using folder = await s3Folder(terraform!, { url, lines, env }, resource('first'));
      expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
    });

    it.each<[string, readonly string[], RegExp]>([
      [
        'a token of another',
        [
          'assume_role_with_web_identity = { role_arn = "arn:aws:iam::210987654321:role/ci", web_identity_token = "x.y.z" }',
        ],
        /AssumeRoleWithWebIdentity and AssumeRoleWithSAML are not supported/,
      ],
      [
        'a session that may do less by a policy',
        ['assume_role = { role_arn = "arn:aws:iam::210987654321:role/ci", policy = "{}" }'],
        /Policy is not supported: a session cannot be narrowed by policies/,
      ],
      [
        'another account',
        ['allowed_account_ids = ["999999999999"]'],
        /AWS account ID not allowed: 123456789012/,
      ],
    ])('a block that asks for %s is told why not', async (_, more, expected) => {
      const { url } = houses.get('http')!;
      await using folder = await TerraformFolder.make(terraform!, {
        files: { 'backend.tf': s3Backend([...TUTORIAL, ...more]) },
        env: awsLogin(url),
      });
      const { code, output } = await folder.run('init');
      expect(code).toBe(1);
      expect(output.replaceAll(/[\s│]+/g, ' ')).toMatch(expected);
    });

    it.each<[string, readonly string[], RegExp]>([
      [
        'a key that no state may have',
        ['bucket = "refusing"', 'key = "net/app-md5"'],
        /a state cannot have this name: a key does not end with "-md5"/,
      ],
      [
        'a key that is the name of a lock',
        ['bucket = "refusing"', 'key = "net/.lock"', 'use_lockfile = true'],
        /a state cannot have this name: a key does not end with "\/\.lock"/,
      ],
      [
        'a bucket that is no name of a project',
        ['bucket = "refusing..x"', 'key = "net/app"'],
        /a project name is made of letters/,
      ],
    ])('%s is refused in words that terraform prints', async (_, lines, expected) => {
      const { url } = houses.get('http')!;
      await using folder = await TerraformFolder.make(terraform!, {
        files: { 'backend.tf': s3Backend([...lines, 'region = "us-east-1"']), 'main.tf': resource('one') },
        env: awsLogin(url),
      });
      const outputs: string[] = [];
      for (const args of [['init'], ['apply', '-auto-approve']]) {
        const { code, output } = await folder.run(...args);
        outputs.push(output);
        if (code !== 0) break;
      }
      expect(outputs.join('').replaceAll(/[\s│]+/g, ' ')).toMatch(expected);
    });

    /** Where the house signed its own certificate, clients are told to trust it. */
    function caOf(house: TestHouse): Record<string, string> {
      return house.certPath === null ? {} : { AWS_CA_BUNDLE: house.certPath };
    }
  },
);
