import type { DoorReply, DoorRequest } from '../../door.ts';
import { methodReply } from '../../wire/problem.ts';
import { AUTHORIZATION_PATH, LOGIN_CLIENT, LOGIN_PORTS, servicesAt, TOKEN_PATH } from '../layout.ts';

/** Which services this host has. Terraform looks for them by the version that it speaks. */
const SERVICES = {
  ...servicesAt(''),
  'login.v1': {
    client: LOGIN_CLIENT,
    grant_types: ['authz_code'],
    authz: AUTHORIZATION_PATH,
    token: TOKEN_PATH,
    ports: LOGIN_PORTS,
  },
} as const;

/** Tells where the API is. It says nothing of this server, and so needs no credential. */
export function discoveryReply({ method }: Pick<DoorRequest, 'method'>): DoorReply {
  if (method !== 'GET' && method !== 'HEAD') return methodReply(['GET']);
  return {
    operation: 'discovery',
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(SERVICES)),
  };
}
