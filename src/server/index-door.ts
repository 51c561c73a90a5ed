import type { Door, DoorEntry, DoorReply, DoorRequest, DoorRoutes } from '../protocols/door.ts';
import { faultReply, methodReply } from '../protocols/wire/problem.ts';

/** What there is besides the doors of protocols. */
const OWN: readonly Line[] = [
  { at: '/api/openapi.json', what: 'the API: states, versions, locks, credentials, audit, events' },
  { at: '/healthz, /readyz, /metrics', what: 'health, readiness and metrics' },
];

type Line = NonNullable<DoorEntry['listed']>;

/** What is found at `/`: where the doors are. It says nothing of this house, and so needs no credential. */
export class IndexDoor implements Door {
  readonly name = 'index';
  readonly routes: DoorRoutes = { paths: ['/'] };
  readonly #text: string;

  constructor(doors: readonly DoorEntry[]) {
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

  async answer({ method }: DoorRequest): Promise<DoorReply> {
    if (method !== 'GET' && method !== 'HEAD') return methodReply(['GET']);
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    return { operation: 'index', status: 200, headers, body: Buffer.from(this.#text) };
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('index', message);
  }

  throttled(): null {
    return null;
  }
}
