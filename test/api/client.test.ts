import { describe, expect, it } from 'vitest';
import { ApiClient, type ApiRequest } from '../../src/api/client.ts';
import { ApiError } from '../../src/api/error.ts';
import { OPERATIONS } from '../../src/api/operations.ts';
import { ROUTES } from '../../src/server/api/table.ts';

interface Sent extends ApiRequest {
  readonly path: string;
}

/** A client whose answers are given beforehand, and what it has sent. */
function clientWith(...answers: readonly Response[]): {
  readonly client: ApiClient<Response>;
  readonly sent: readonly Sent[];
} {
  const sent: Sent[] = [];
  const left = [...answers];
  const client = new ApiClient((path, request) => {
    sent.push({ path, ...request });
    const answer = left.shift();
    return answer === undefined ? Promise.reject(new Error('no route to host')) : Promise.resolve(answer);
  });
  return { client, sent };
}

const json = (value: unknown, status = 200): Response => Response.json(value, { status });

describe('the client of the API', () => {
  it('asks where the operation is, with what is in the query, and gives the answer', async () => {
    const { client, sent } = clientWith(json({ address: 'acme/a b@dev', holders: [], waiters: [] }));
    const lock = await client.ask('show-lock', { query: { address: 'acme/a b@dev' } });
    expect(lock.holders).toEqual([]);
    expect(sent).toEqual([
      {
        method: 'GET',
        path: '/api/v1/state/lock?address=acme%2Fa+b%40dev',
        headers: {},
        body: null,
        long: false,
      },
    ]);
  });

  it('sends a body as JSON, and leaves out what is undefined', async () => {
    const { client, sent } = clientWith(json({}));
    const body = { version: 7, lockId: undefined };
    await client.ask('restore-version', { query: { address: 'acme/net' }, body });
    expect(sent[0]).toMatchObject({
      method: 'POST',
      path: '/api/v1/state/restore?address=acme%2Fnet',
      headers: { 'content-type': 'application/json' },
      body: '{"version":7}',
    });
  });

  it('escapes the named part of a path', async () => {
    const { client, sent } = clientWith(json({}));
    await client.ask('revoke-credential', { path: { id: '../a?b' } });
    expect(sent[0]).toMatchObject({ method: 'DELETE', path: '/api/v1/credentials/..%2Fa%3Fb' });
  });

  it('gives what is not JSON as the transport has it, and says that it may take long', async () => {
    const { client, sent } = clientWith(new Response('bytes'));
    const answer = await client.stream('backup', {});
    expect(await answer.text()).toBe('bytes');
    expect(sent[0]?.long).toBe(true);
  });

  it('reads a list page after page', async () => {
    const { client, sent } = clientWith(
      json({ versions: [{ version: 3 }, { version: 2 }], next: 'two' }),
      json({ versions: [{ version: 1 }], next: null }),
    );
    const { items, more } = await client.list('list-versions', { address: 'acme/net' }, 1_000);
    expect(items.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(more).toBe(false);
    expect(sent.map(({ path }) => path)).toEqual([
      '/api/v1/state/versions?address=acme%2Fnet&limit=500',
      '/api/v1/state/versions?address=acme%2Fnet&limit=500&cursor=two',
    ]);
  });

  it('stops a list at its limit, asks for no more than that, and says that there are more', async () => {
    const { client, sent } = clientWith(json({ locks: [{}, {}], next: 'two' }));
    const { items, more } = await client.list('list-locks', { project: 'acme' }, 2);
    expect([items.length, more]).toEqual([2, true]);
    expect(sent.map(({ path }) => path)).toEqual(['/api/v1/locks?project=acme&limit=2']);
  });

  it('throws a refusal with its status, word, message and facts', async () => {
    const refusal = {
      error: 'too-large',
      message: 'the state is too large: expected at most 5 bytes',
      limit: 5,
    };
    const { client } = clientWith(json(refusal, 413));
    const fault: unknown = await client.ask('whoami', {}).catch((caught: unknown) => caught);
    expect(fault).toBeInstanceOf(ApiError);
    expect(fault).toMatchObject({
      status: 413,
      error: 'too-large',
      message: 'the state is too large: expected at most 5 bytes',
      facts: { limit: 5 },
    });
  });

  it('throws an error without a word where the answer is not one of the API', async () => {
    const { client } = clientWith(
      new Response('<html>Bad gateway</html>', { status: 502 }),
      new Response('', { status: 302 }),
      new Response('[]'),
      json({ locks: {}, next: null }),
      json({ locks: [] }),
    );
    const asks = [
      () => client.ask('info', {}),
      () => client.ask('info', {}),
      () => client.ask('info', {}),
      () => client.list('list-locks', {}, 10),
      () => client.list('list-locks', {}, 10),
    ];
    const statuses: unknown[] = [];
    for (const ask of asks) {
      const fault: unknown = await ask().catch((caught: unknown) => caught);
      expect(fault).toMatchObject({ error: null, facts: {} });
      statuses.push(fault instanceof ApiError ? fault.status : fault);
    }
    expect(statuses).toEqual([502, 302, 200, 200, 200]);
  });

  it('passes on what the transport throws, and explains errors as it is told to', async () => {
    await expect(clientWith().client.ask('info', {})).rejects.toThrow('no route to host');
    const client = new ApiClient(
      () => Promise.resolve(json({ error: 'busy', message: 'try again' }, 503)),
      ({ error, message }) => new Error(`${error}: ${message}`),
    );
    await expect(client.stream('events', { query: {} })).rejects.toThrow('busy: try again');
  });
});

describe('the contract of the API', () => {
  it('has every operation that is routed, at its place, and no other', () => {
    const routed = ROUTES.map(({ operation, method, path }) => ({ operation, method, path }));
    const said = Object.entries(OPERATIONS).map(([operation, { method, path }]) => ({
      operation,
      method,
      path,
    }));
    const byName = (a: { operation: string }, b: { operation: string }): number =>
      a.operation.localeCompare(b.operation);
    expect(routed.toSorted(byName)).toEqual(said.toSorted(byName));
  });
});
