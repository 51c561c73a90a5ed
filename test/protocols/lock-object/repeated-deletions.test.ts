import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askSigned, type SignedAsk } from '../../support/ask-signed.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import { sampleLock } from '../../support/sample-state.ts';

const RUN = { 'user-agent': 'APN/1.0 HashiCorp/1.0 Terraform/1.11.0 aws-sdk-go-v2/1.36' };
const FIRST = 'c8f0a1b2-1111-4222-8333-444455556666';

/** How terraform takes, reads and deletes a lock at each door of AWS. */
interface Way {
  readonly name: string;
  readonly take: (id: string) => SignedAsk;
  readonly look: SignedAsk;
  readonly drop: SignedAsk;
}

const LOCK_FILE = '/acme/net/terraform.tfstate.tflock';
const ITEM = 'acme/net/by-item.tfstate';

function item(operation: string, content: object): SignedAsk {
  return {
    service: 'dynamodb',
    method: 'POST',
    path: '/',
    headers: {
      ...RUN,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify({ TableName: 'locks', ...content }),
  };
}

const WAYS: readonly Way[] = [
  {
    name: 'a lock file',
    take: (id) => ({
      service: 's3',
      method: 'PUT',
      path: LOCK_FILE,
      headers: { ...RUN, 'if-none-match': '*' },
      body: sampleLock(id),
    }),
    look: { service: 's3', method: 'GET', path: LOCK_FILE, headers: RUN },
    drop: { service: 's3', method: 'DELETE', path: LOCK_FILE, headers: RUN },
  },
  {
    name: 'an item',
    take: (id) =>
      item('PutItem', {
        Item: { LockID: { S: ITEM }, Info: { S: sampleLock(id) } },
        ConditionExpression: 'attribute_not_exists(LockID)',
      }),
    look: item('GetItem', { Key: { LockID: { S: ITEM } }, ConsistentRead: true }),
    drop: item('DeleteItem', { Key: { LockID: { S: ITEM } } }),
  },
];

/** One of the attempts of a call: they have its name in common. */
function attemptOf(asked: SignedAsk, number: number, call = FIRST): SignedAsk {
  const named = { 'amz-sdk-invocation-id': call, 'amz-sdk-request': `attempt=${number}; max=5` };
  return { ...asked, headers: { ...asked.headers, ...named } };
}

describe.each(WAYS)('the deletion of $name that comes again', ({ take, look, drop }) => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house[Symbol.asyncDispose]());

  const ask = async (asked: SignedAsk): Promise<number> => (await askSigned(house.url, asked)).status;
  const attempt = (number: number): SignedAsk => attemptOf(drop, number);
  const holders = async (): Promise<string> => (await house.ask('GET', '/api/v1/locks')).text;

  it('means the lock that it meant first, though another run of the client holds one and was seen since', async () => {
    expect(await ask(take('one'))).toBe(200);
    expect(await ask(look)).toBe(200);
    expect(await ask(attempt(1))).toBeLessThan(300);
    // The answer to that is lost. Meanwhile another run of the same client gets the lock, and a look comes late that was sent before.
    expect(await ask(take('two'))).toBe(200);
    expect(await ask(look)).toBe(200);
    expect(await ask(attempt(2))).toBeLessThan(300);
    expect(await holders()).toContain('two');
    // A copy of the first attempt, as somebody on the way may have had it.
    expect(await ask(attempt(1))).toBeLessThan(300);
    expect(await holders()).toContain('two');
  });

  it('is told from a new one, which ends the lock that was seen last', async () => {
    expect(await ask(look)).toBe(200);
    expect(await ask(drop)).toBeLessThan(300);
    expect(await holders()).not.toContain('two');
  });
});

describe.each(WAYS)('the deletion of $name that comes after a restart', ({ take, look, drop }) => {
  let directory: string;
  let house: TestHouse;
  const open = async (): Promise<void> => {
    house = await TestHouse.open({ store: { kind: 'directory', path: join(directory, 'data') } });
  };
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'statehouse-deletions-'));
    await open();
  });
  afterAll(async () => {
    await house.close();
    await rm(directory, { recursive: true, force: true });
  });

  const ask = async (asked: SignedAsk): Promise<number> => (await askSigned(house.url, asked)).status;
  const holders = async (): Promise<string> => (await house.ask('GET', '/api/v1/locks')).text;

  it('leaves the lock alone that another run of the client was granted meanwhile', async () => {
    expect(await ask(take('one'))).toBe(200);
    expect(await ask(look)).toBe(200);
    expect(await ask(attemptOf(drop, 1))).toBeLessThan(300);
    expect(await ask(take('two'))).toBe(200);
    // The server was killed before its answer was heard: the same call comes again.
    await house.close();
    await open();
    expect(await ask(attemptOf(drop, 2))).toBeLessThan(300);
    expect(await holders()).toContain('two');
  });

  it('ends the lock that was looked at before, and none that was granted since the start', async () => {
    expect(await ask(attemptOf(drop, 1, 'd0f0a1b2-1111-4222-8333-444455556666'))).toBeLessThan(300);
    expect(await holders()).not.toContain('two');
    expect(await ask(take('three'))).toBe(200);
    expect(await ask(attemptOf(drop, 2, 'e0f0a1b2-1111-4222-8333-444455556666'))).toBeLessThan(300);
    expect(await holders()).toContain('three');
  });
});
