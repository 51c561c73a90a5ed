import { readDurationOrSeconds } from '../../../core/duration.ts';
import { isRunAddress } from '../../../core/ci-run.ts';
import { isProblem } from '../../../core/read-value.ts';
import { isAddress, type Address } from '../../../core/address.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import type { DoorRequest } from '../../door.ts';
import {
  addressOf,
  LOCK_ID_PARAMETER,
  LOCK_PARAMETER,
  parseQuery,
  RUN_PARAMETER,
  WAIT_PARAMETER,
  WORKSPACE_PARAMETER,
} from '../layout.ts';

export type Operation = 'read' | 'write' | 'delete' | 'lock' | 'unlock' | 'show-lock';

/** What a request asks of which address. */
export interface DetectedRequest {
  readonly operation: Operation;
  readonly address: Address;
  /** The lock that the client says it holds. */
  readonly lockId: string | null;
  readonly wait: Milliseconds | null;
  /** The run of a pipeline that the client says it is in. */
  readonly run: string | null;
}

export interface Undetected {
  readonly status: 400 | 405;
  readonly problem: string;
  /** The methods that are done here. */
  readonly allow?: string;
}

const STATE_METHODS: Readonly<Record<string, Operation>> = {
  GET: 'read',
  HEAD: 'read',
  POST: 'write',
  PUT: 'write',
  DELETE: 'delete',
  LOCK: 'lock',
  UNLOCK: 'unlock',
};

const LOCK_METHODS: Readonly<Record<string, Operation>> = {
  GET: 'show-lock',
  POST: 'lock',
  PUT: 'lock',
  LOCK: 'lock',
  DELETE: 'unlock',
  UNLOCK: 'unlock',
};

/** Reads method, path and query. */
export function detect(request: DoorRequest): DetectedRequest | Undetected {
  const query = parseQuery(request.query);
  if (query === null) {
    return { status: 400, problem: 'the query has a percent-escape that is not valid UTF-8' };
  }
  const address = addressOf(request.path, query.get(WORKSPACE_PARAMETER) ?? null);
  if (!isAddress(address)) return { status: 400, problem: address.problem };
  const methods = query.has(LOCK_PARAMETER) ? LOCK_METHODS : STATE_METHODS;
  const operation = methods[request.method];
  if (operation === undefined) {
    const allow = Object.keys(methods).join(', ');
    return { status: 405, problem: `${request.method} is not supported here: use ${allow}`, allow };
  }
  const waitText = query.get(WAIT_PARAMETER);
  const wait = waitText === undefined ? null : readDurationOrSeconds(waitText);
  if (isProblem(wait)) return { status: 400, problem: wait.problem };
  const run = query.get(RUN_PARAMETER) ?? null;
  if (run !== null && !isRunAddress(run))
    return {
      status: 400,
      problem: `invalid ${RUN_PARAMETER}: expected the https address of a run of a pipeline`,
    };
  return { operation, address, lockId: query.get(LOCK_ID_PARAMETER) ?? null, wait, run };
}
