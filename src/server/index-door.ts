import type { Page } from './page/page.ts';
import type { Door, DoorEntry, DoorReply, DoorRequest, DoorRoutes } from '../protocols/door.ts';
import { faultReply, methodReply } from '../protocols/wire/problem.ts';

/** What there is besides the doors of protocols. */
const OWN: readonly Line[] = [
  { at: '/', what: 'the page, in a browser' },
  { at: '/api/openapi.json', what: 'the API: states, versions, locks, credentials, audit, events' },
  { at: '/healthz, /readyz, /metrics', what: 'health, readiness and metrics' },
];

type Line = NonNullable<DoorEntry['listed']>;

/** What is found at `/`: the page for browsers, and where the doors are for everything else. It says nothing of this house, and so needs no credential. */
export class IndexDoor implements Door {
  readonly name = 'index';
  readonly routes: DoorRoutes = { paths: ['/'] };
  readonly #text: string;
  readonly #page: Page;

  constructor(doors: readonly DoorEntry[], page: Page) {
    this.#page = page;
    const lines = [...doors.flatMap(({ listed }) => (listed === null ? [] : [listed])), ...OWN];
    const wide = Math.max(...lines.map(({ at }) => at.length));
    this.#text = [
      'This is Statehouse: it keeps the state of Terraform and OpenTofu, and guards it with one lock.',
      '',
      ...lines.map(({ at, what }) => `${at.padEnd(wide)}   ${what}`),
      '',
      '"statehouse config PROTOCOL PROJECT/KEY" prints the backend block for your configuration.',
      '',
    ].join('\n');
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD') return methodReply(['GET']);
    if (this.#page.isWanted(request)) return this.#page.start(request);
    const headers = { 'content-type': 'text/plain; charset=utf-8', vary: 'accept' };
    return { operation: 'index', status: 200, headers, body: Buffer.from(this.#text) };
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('index', message);
  }

  throttled(): null {
    return null;
  }
}
