import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../protocols/door.ts';
import { faultReply, problemReply } from '../protocols/wire/problem.ts';

/** What to do instead, whatever was asked by. */
const WAY =
  'Use backend "http", "s3", "gcs", "azurerm", "consul" or "remote": "statehouse config http PROJECT/KEY" prints the block, and so for the others, and "terraform init -migrate-state" moves a state';

/** A protocol that is spoken elsewhere: by which paths it is known, and in what form it says what is wrong. */
interface Signpost {
  /** The type of the backend block, or what the paths are otherwise known by. */
  readonly name: string;
  readonly paths: readonly string[];
  readonly answer: (message: string, path: string) => Pick<DoorReply, 'status' | 'headers' | 'body'>;
}

/**
 * Every protocol that Terraform has a backend for and that is not spoken here. No status is 404, which their clients take for
 * "no state yet", and none is one that they send the request again for.
 */
const SIGNPOSTS: readonly Signpost[] = [
  {
    name: 'etcd',
    paths: ['/v2/keys', '/v2/keys/*', '/v3/kv/*', '/v3/lease/*', '/v3/lock/*'],
    answer: (message, path) =>
      path.startsWith('/v2/')
        ? json(400, { errorCode: 107, message, cause: path, index: 0 })
        : json(400, { error: message, message, code: 12 }),
  },
  {
    name: 'kubernetes',
    // Secrets hold the states, leases the locks.
    paths: ['/api/v1/namespaces/*', '/apis/*'],
    answer: (message) =>
      json(400, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message,
        reason: 'BadRequest',
        code: 400,
      }),
  },
  {
    name: 'http" of GitLab',
    paths: ['/api/v4/*'],
    answer: (message) => json(400, { error: 'unsupported', message }),
  },
];

/** Tells clients of protocols that are not spoken here so, in their own form. It says nothing of this house, and so needs no credential. */
export class SignpostDoor implements Door {
  readonly name = 'signpost';
  readonly routes: DoorRoutes = { paths: SIGNPOSTS.flatMap(({ paths }) => paths) };

  async answer({ path }: DoorRequest): Promise<DoorReply> {
    const found = SIGNPOSTS.find(({ paths }) =>
      paths.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one)),
    );
    const name = found?.name ?? 'unknown';
    const message = `this is Statehouse, which does not serve the backend "${name}". ${WAY}.`;
    const operation = 'signpost';
    return { operation, ...(found?.answer(message, path) ?? plain(400, message)) };
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('signpost', message);
  }

  throttled(): null {
    return null;
  }
}

/** What a path is told that no door has. */
const NOT_FOUND = 'not found: / lists the paths of this server';
const UNKNOWN: DoorReply = problemReply('unknown', 'unknown-route', { status: 404, message: NOT_FOUND });
const UNKNOWN_TO_TERRAFORM: DoorReply = problemReply('unknown', 'unknown-route', {
  status: 400,
  message: `${NOT_FOUND}. States are at /http/PROJECT/KEY`,
});

/**
 * The answer for a path that nothing is at. Terraform's http backend takes 404 for "no state yet", so that an apply at a mistyped
 * address would create everything and then could not store it.
 */
export function unknownPath(request: Pick<DoorRequest, 'header'>): DoorReply {
  return /^(?:Go-http-client|Terraform|OpenTofu)\b/i.test(request.header('user-agent') ?? '')
    ? UNKNOWN_TO_TERRAFORM
    : UNKNOWN;
}

function plain(status: number, message: string): Pick<DoorReply, 'status' | 'headers' | 'body'> {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from(`${message}\n`),
  };
}

function json(status: number, value: unknown): Pick<DoorReply, 'status' | 'headers' | 'body'> {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}
