import { createHash } from 'node:crypto';
import type { Agent } from 'node:http';
import type { TestHouse } from '../../support/open-test-house.ts';
import type { Answer } from '../../support/request.ts';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';

export interface Resource {
  readonly id: string;
  readonly type: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly relationships?: Readonly<Record<string, unknown>>;
}

interface Send {
  readonly as?: Pair;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

/** Asks the API of the hcp door, as the admin unless another is given. */
export function api(
  house: TestHouse,
  method: string,
  path: string,
  body?: object | string,
  { as = TEST_ADMIN, headers = {}, agent }: Send = {},
): Promise<Answer> {
  const sent = typeof body === 'object' ? JSON.stringify(body) : body;
  return house.ask(method, `/api/v2/${path}`, {
    as: null,
    headers: {
      authorization: `Bearer ${as.id}.${as.secret}`,
      'content-type': 'application/vnd.api+json',
      ...(sent === undefined ? { 'content-length': '0' } : {}),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
    ...(agent === undefined ? {} : { agent }),
  });
}

export function one(attributes: object, more: object = {}): object {
  return { data: { type: 'things', attributes, ...more } };
}

export function dataOf({ text }: Answer): Resource {
  return (JSON.parse(text) as { data: Resource }).data;
}

export function listOf({ text }: Answer): readonly Resource[] {
  return (JSON.parse(text) as { data: readonly Resource[] }).data;
}

export function errorOf({ text }: Answer): { readonly title: string; readonly detail: string } {
  const { errors } = JSON.parse(text) as { errors: readonly { title: string; detail: string }[] };
  return errors[0] ?? { title: '', detail: '' };
}

export function stateText(serial: number, more: object = {}): string {
  const state = { version: 4, terraform_version: '1.11.4', serial, lineage: 'l', outputs: {}, resources: [] };
  return `${JSON.stringify({ ...state, ...more })}\n`;
}

/** What is said of a state before its bytes come. */
export function announced(text: string, more: object = {}): object {
  const { serial, lineage } = JSON.parse(text) as { serial: number; lineage: string };
  return one({ serial, lineage, md5: md5Of(text), ...more });
}

export function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** Makes a workspace of organization `acme`. @returns its ID */
export async function makeWorkspace(house: TestHouse, name: string, more: object = {}): Promise<string> {
  return dataOf(await api(house, 'POST', 'organizations/acme/workspaces', one({ name, ...more }))).id;
}

/** The path of an upload. */
export function uploadPath(created: Answer): string {
  return new URL(String(dataOf(created).attributes['hosted-state-upload-url'])).pathname;
}

/** Announces a state and uploads it. */
export async function store(house: TestHouse, id: string, text: string, send: Send = {}): Promise<Answer> {
  const created = await api(house, 'POST', `workspaces/${id}/state-versions`, announced(text), send);
  if (created.status !== 201) return created;
  return house.ask('PUT', uploadPath(created), { as: null, body: text });
}
