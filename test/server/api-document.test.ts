import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/server/api/table.ts';
import { TestHouse } from '../support/open-test-house.ts';
import type { Tree } from './api-client.ts';

describe('the OpenAPI document', () => {
  let open: TestHouse;
  let document: Tree;

  beforeAll(async () => {
    open = await TestHouse.open();
    const response = await fetch(`${open.url}/api/openapi.json`);
    document = (await response.json()) as Tree;
  });
  afterAll(() => open.close());

  const operations = (): { path: string; method: string; row: Tree }[] =>
    Object.entries(document['paths'] ?? {}).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, row]) => ({ path, method, row })),
    );

  it('needs no credential, and is of OpenAPI 3.1', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Statehouse' } });
  });

  it('describes every route, and nothing else', () => {
    const described = operations().map(
      ({ path, method, row }) => `${String(row['operationId'])} ${method} ${path}`,
    );
    const routed = ROUTES.map(
      ({ operation, method, path }) =>
        `${operation} ${method.toLowerCase()} /api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    );
    expect(described.sort()).toEqual(routed.sort());
    expect(new Set(ROUTES.map(({ operation }) => operation)).size).toBe(ROUTES.length);
  });

  it('is served where it says: every path and method is known, and needs a credential', async () => {
    for (const { path, method } of operations()) {
      const url = `${open.url}${path.replaceAll(/\{\w+\}/g, 'x')}`;
      const response = await fetch(url, { method: method.toUpperCase() });
      expect([response.status, method, path]).toEqual([401, method, path]);
      expect(response.headers.get('www-authenticate')).toContain('Basic');
    }
  });

  it('says what each route takes and answers, and every reference leads somewhere', () => {
    for (const { row, path } of operations()) {
      expect(String(row['summary']).length, path).toBeGreaterThan(10);
      expect(row['description']).toContain('Needs the role');
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const inPath = Object.values(row['parameters'] ?? {}).filter(
        (parameter) => String(parameter['in']) === 'path',
      );
      expect(inPath.map(({ name }) => name)).toEqual(named);
      expect(Object.keys(row['responses'] ?? {})).toContain('401');
      const success = row['responses']?.['200'] ?? row['responses']?.['201'];
      expect(Object.keys(success?.['content'] ?? {})).toHaveLength(1);
    }
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref = '']) => ref,
    );
    expect(references.length).toBeGreaterThan(50);
    for (const reference of new Set(references)) {
      const [hash, ...steps] = reference.split('/');
      expect(hash).toBe('#');
      expect(
        steps.reduce<Tree | undefined>((node, step) => node?.[step], document),
        reference,
      ).toBeTypeOf('object');
    }
  });

  it('has every route on the page for people, and the page has no other', async () => {
    const page = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');
    const named = [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(([, route = '']) => route);
    const routed = ROUTES.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(named.sort()).toEqual(routed.sort());
  });

  it('refuses other methods and routes in JSON', async () => {
    const put = await fetch(`${open.url}/api/openapi.json`, { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET']);
    expect(await put.json()).toMatchObject({ error: 'method' });
  });
});
