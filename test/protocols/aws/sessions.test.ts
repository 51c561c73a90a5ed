import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_CALLER, TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import type { Pair } from '../../support/test-admin.ts';
import { code, sendSigned, type Sent } from './send-signed.ts';
import { stateText } from './sdk.ts';

let house: TestHouse;
let strict: TestHouse;
let writer: Pair & { readonly name: string };

beforeAll(async () => {
  house = await TestHouse.open({
    s3: { account: '123456789012', strict: false, unsignedBodies: false, deleteVersions: false },
  });
  strict = await TestHouse.open({
    s3: { account: '123456789012', strict: true, unsignedBodies: false, deleteVersions: false },
  });
  writer = {
    ...(await house.credential('ci-prod', [{ role: 'writer', pattern: 'acme/*' }])),
    name: 'ci-prod',
  };
  await house.credential('plan-only', [{ role: 'reader', pattern: 'acme/net/*' }]);
  await house.credential('too-wide', [{ role: 'admin', pattern: '*' }]);
});

afterAll(async () => {
  await house.close();
  await strict.close();
});

interface Session extends Pair {
  readonly token: string;
  readonly answer: Answer;
}

const ROLE = 'arn:aws:iam::210987654321:role/terraform';

async function sts(
  as: Pair,
  parameters: Readonly<Record<string, string>>,
  { at = house, token }: { at?: TestHouse; token?: string } = {},
): Promise<Answer> {
  return sendSigned(at, {
    method: 'POST',
    service: 'sts',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(token === undefined ? {} : { 'x-amz-security-token': token }),
    },
    body: new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString(),
    as,
  });
}

async function assume(
  as: Pair,
  role: string,
  more: Record<string, string> = {},
  token?: string,
): Promise<Session> {
  const asked = { Action: 'AssumeRole', RoleArn: role, RoleSessionName: 'run-7', ...more };
  const answer = await sts(as, asked, token === undefined ? {} : { token });
  return {
    id: field(answer, 'AccessKeyId'),
    secret: field(answer, 'SecretAccessKey'),
    token: field(answer, 'SessionToken'),
    answer,
  };
}

function field({ text }: Answer, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';
}

/** A request that is signed with a session's key, beside its token. */
function within({ id, secret, token }: Session, request: Sent): Promise<Answer> {
  return sendSigned(house, {
    ...request,
    headers: { ...request.headers, 'x-amz-security-token': token },
    as: { id, secret },
  });
}

const put = (path: string): Sent => ({ method: 'PUT', path, body: stateText(1) });

describe('a session', () => {
  it('acts for the credential that asked, with its rights and in its name, whatever the role is called', async () => {
    const session = await assume(writer, ROLE);
    expect(session.answer.status).toBe(200);
    expect(session.answer.headers['x-statehouse-not-done']).toBe('role');
    expect((await within(session, put('/acme/net/by-session'))).status).toBe(200);
    expect(code(await within(session, put('/beta/other')))).toBe('403 AccessDenied');
    const versions = await house.ask('GET', '/api/v1/state/versions?address=acme/net/by-session');
    expect(versions.text).toContain('token:ci-prod');
  });

  it('is told who it is as AWS tells it, in the account that the role names', async () => {
    const session = await assume(writer, 'arn:aws:iam::210987654321:role/teams/terraform');
    const told = await sts(session, { Action: 'GetCallerIdentity' }, { token: session.token });
    const arn = 'arn:aws:sts::210987654321:assumed-role/terraform/run-7';
    expect(field(told, 'Arn')).toBe(arn);
    expect(field(told, 'Account')).toBe('210987654321');
    expect(field(told, 'UserId')).toBe(`${writer.id}:run-7`);
    expect(field(session.answer, 'Arn')).toBe(arn);
    const own = await sts(writer, { Action: 'GetCallerIdentity' });
    expect(field(own, 'Arn')).toBe('arn:aws:iam::123456789012:user/ci-prod');
    expect(field(own, 'Account')).toBe('123456789012');
  });

  it('is narrowed to a credential that the role names, if that one may nothing more', async () => {
    const narrow = await assume(writer, 'arn:aws:iam::210987654321:role/plan-only');
    expect(narrow.answer.headers['x-statehouse-not-done']).toBe(undefined);
    await sendSigned(house, { ...put('/acme/net/narrow'), as: writer });
    expect((await within(narrow, { path: '/acme/net/narrow' })).status).toBe(200);
    expect(code(await within(narrow, put('/acme/net/narrow')))).toBe('403 AccessDenied');
    // Not by assuming once more either.
    const again = await assume(narrow, ROLE, {}, narrow.token);
    expect(again.answer.status).toBe(200);
    expect(code(await within(again, put('/acme/net/narrow')))).toBe('403 AccessDenied');
    const wide = await assume(writer, 'arn:aws:iam::210987654321:role/too-wide');
    expect(code(await within(wide, put('/beta/wide')))).toBe('403 AccessDenied');
  });

  it('is nobody without its token, with another one, or with a token that was changed', async () => {
    const [one, other] = [await assume(writer, ROLE), await assume(writer, ROLE)];
    const ask: Sent = { path: '/acme', query: [['list-type', '2']] };
    expect((await within(one, ask)).status).toBe(200);
    expect(code(await sendSigned(house, { ...ask, as: one }))).toBe('403 InvalidAccessKeyId');
    expect(code(await within({ ...one, token: other.token }, ask))).toBe('400 InvalidToken');
    const changed = `${one.token.slice(0, -8)}AAAAAAA=`;
    expect(code(await within({ ...one, token: changed }, ask))).toBe('400 InvalidToken');
    expect(code(await within({ ...one, token: 'x'.repeat(9_000) }, ask))).toBe('400 InvalidToken');
    expect(code(await within({ ...one, secret: writer.secret }, ask))).toBe('403 SignatureDoesNotMatch');
    // A token that some other login left behind.
    expect(code(await within({ ...writer, token: one.token, answer: one.answer }, ask))).toBe(
      '400 InvalidToken',
    );
  });

  it('may sign links and ask for locks', async () => {
    const session = await assume(writer, ROLE);
    await within(session, put('/acme/net/linked'));
    const link = await sendSigned(house, {
      path: '/acme/net/linked',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
      query: [['X-Amz-Security-Token', session.token]],
      expiresIn: 60,
      as: session,
    });
    expect(link.text).toBe(stateText(1));
    const table = await within(session, {
      method: 'POST',
      service: 'dynamodb',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.CreateTable',
      },
      body: JSON.stringify({
        TableName: 'session-locks',
        KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    });
    expect(table.text).toContain('arn:aws:dynamodb:us-east-1:210987654321:table/session-locks');
  });

  it('ends with its credential, with the one that it is narrowed to, and no later than they expire', async () => {
    const grants = [{ role: 'writer', pattern: 'acme/*' }] as const;
    const short = await house.credential('short', grants, Date.now() + 600_000);
    const role = await house.credential('short-role', grants);
    const [plain, narrowed] = [
      await assume(short, ROLE),
      await assume(short, 'arn:aws:iam::210987654321:role/short-role'),
    ];
    expect(Date.parse(field(plain.answer, 'Expiration'))).toBeLessThanOrEqual(Date.now() + 600_000);
    const ask: Sent = { path: '/acme', query: [['list-type', '2']] };
    expect((await within(narrowed, ask)).status).toBe(200);
    await house.house.credentials.revoke(ADMIN_CALLER, role.id);
    expect(code(await within(narrowed, ask))).toBe('400 InvalidToken');
    expect((await within(plain, ask)).status).toBe(200);
    await house.house.credentials.revoke(ADMIN_CALLER, short.id);
    expect(code(await within(plain, ask))).toBe('400 InvalidToken');
  });

  it.each<[string, Record<string, string>, string]>([
    ['no role', { RoleArn: 'arn:aws:iam::1:user/x' }, '400 ValidationError'],
    ['no name', { RoleSessionName: '' }, '400 ValidationError'],
    ['a minute', { DurationSeconds: '60' }, '400 ValidationError'],
    ['a day', { DurationSeconds: '86400' }, '400 ValidationError'],
    ['a policy, which would have it do less', { Policy: '{}' }, '400 ValidationError'],
    ['policies, which would have it do less', { 'PolicyArns.member.1.arn': 'x' }, '400 ValidationError'],
    ['a second factor', { SerialNumber: 'arn:aws:iam::1:mfa/x', TokenCode: '123456' }, '400 ValidationError'],
    ['the longest time', { DurationSeconds: '43200', ExternalId: 'x' }, '200 '],
  ])('may be asked for with %s, and is answered', async (_, more, expected) => {
    expect(code((await assume(writer, ROLE, more)).answer)).toBe(expected);
  });

  it('is in the audit log, with the role and no secret', async () => {
    const session = await assume(writer, ROLE, { RoleSessionName: 'audited' });
    const { text } = await house.ask('GET', '/api/v1/audit?action=assume-role');
    expect(text).toContain('audited');
    expect(text).not.toContain(session.secret);
    expect(text).not.toContain(session.token.slice(20, 60));
  });

  it('is refused with --strict-s3 where the role is a mere label', async () => {
    const as = await strict.credential('ci-prod', [{ role: 'writer', pattern: 'acme/*' }]);
    const ask = (role: string, more: Record<string, string> = {}): Promise<Answer> =>
      sts(
        as,
        {
          Action: 'AssumeRole',
          RoleArn: `arn:aws:iam::123456789012:role/${role}`,
          RoleSessionName: 'run',
          ...more,
        },
        { at: strict },
      );
    expect(code(await ask('terraform'))).toBe('403 AccessDenied');
    expect((await ask('ci-prod')).status).toBe(200);
    expect(code(await ask('ci-prod', { SourceIdentity: 'me' }))).toBe('403 AccessDenied');
  });
});

describe('what is not signed', () => {
  it('is told that tokens of others open nothing, in the form of STS', async () => {
    const answer = await house.ask('POST', '/', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15&WebIdentityToken=x',
      as: null,
    });
    expect(code(answer)).toBe('403 MissingAuthenticationToken');
    expect(answer.text).toContain('assume_role_with_web_identity');
    expect(answer.text).toMatch(/^<\?xml[^>]*>\s*<ErrorResponse xmlns="https:\/\/sts\.amazonaws\.com/);
  });

  it.each(['HEAD', 'GET'])('is told where a bucket is, as clients of S3 ask it: %s', async (method) => {
    for (const path of ['/acme', '/nowhere', '/acme/net/app', '/http', '/']) {
      const answer = await house.ask(method, path, {
        headers: { 'user-agent': 'aws-sdk-go/1.55.5 (go1.22.2; linux; amd64)' },
        as: null,
      });
      expect(answer.status, path).toBe(403);
      expect(answer.headers['x-amz-bucket-region'], path).toBe('us-east-1');
      if (method === 'GET') expect(code(answer), path).toBe('403 AccessDenied');
    }
  });

  it('is told what there is, where it is no AWS client', async () => {
    const browser = { headers: { 'user-agent': 'Mozilla/5.0' }, as: null };
    expect((await house.ask('GET', '/', browser)).text).toContain('This is Statehouse');
    expect((await house.ask('GET', '/favicon.ico', browser)).headers['content-type']).toContain('json');
  });
});
