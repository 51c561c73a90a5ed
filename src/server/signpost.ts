import type { Door, DoorReply, DoorRequest } from '../protocols/door.ts';
import { faultReply } from '../protocols/wire/problem.ts';

const TEXT = `This is Statehouse: it keeps the state of Terraform and OpenTofu, and guards it with one lock.

/http/PROJECT/KEY?workspace=NAME   backend "http"
any path, signed as AWS signs      backend "s3", with lock files or with DynamoDB
/api/openapi.json                  the API: states, versions, locks, credentials, audit, events
/healthz, /readyz, /metrics        how it is

"statehouse config PROTOCOL PROJECT/KEY" prints the backend block to paste.
`;

/** What is found at `/`: where the doors are. It says nothing of this house, and so needs no credential. */
export class Signpost implements Door {
  readonly name = 'signpost';

  claims({ path, method }: DoorRequest): boolean {
    return path === '/' && (method === 'GET' || method === 'HEAD');
  }

  async answer(): Promise<DoorReply> {
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    return { operation: 'signpost', status: 200, headers, body: Buffer.from(TEXT) };
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('signpost', message);
  }
}
