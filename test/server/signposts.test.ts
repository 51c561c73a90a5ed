import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';

describe('a protocol that is not served', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
  });
  afterAll(() => house.close());

  it.each([
    ['/v2/keys/app', 400, (text: string) => jsonAt(text, 'message')],
    ['/v3/kv/range', 400, (text: string) => jsonAt(text, 'message')],
    ['/api/v1/namespaces/default/secrets/tfstate-default-x', 400, (text: string) => jsonAt(text, 'message')],
    [
      '/apis/coordination.k8s.io/v1/namespaces/default/leases',
      400,
      (text: string) => jsonAt(text, 'message'),
    ],
    ['/api/v4/projects/1/terraform/state/net', 400, (text: string) => jsonAt(text, 'message')],
  ])('answers %s in its own form, with the way in, to anybody', async (path, status, read) => {
    for (const method of ['GET', 'POST', 'PUT']) {
      const answer = await house.ask(method, path, { as: null });
      expect(answer.status).toBe(status);
      expect(read(answer.text)).toContain('statehouse config http PROJECT/KEY');
    }
  });

  it('is no 404 to Terraform, and one to people', async () => {
    const headers = { 'user-agent': 'Go-http-client/1.1' };
    expect((await house.ask('GET', '/htpp/app/net', { headers })).status).toBe(400);
    expect((await house.ask('GET', '/htpp/app/net')).status).toBe(404);
  });
});

function jsonAt(text: string, ...path: string[]): string {
  const found = path.reduce<unknown>(
    (value, name) => (value as Readonly<Record<string, unknown>>)[name],
    JSON.parse(text),
  );
  return String(found);
}
