import type {
  Done,
  DoorClient,
  DoorCredential,
  DoorUnderTest,
  Refused,
} from '../../../src/contract/door-contract-client.ts';
import type { Address } from '../../../src/core/address.ts';
import { formatLockInfo, GO_ZERO_TIME, parseLockInfo, type LockInfo } from '../../../src/core/lock-info.ts';
import { ask, type Answer } from '../../support/request.ts';

/** The http door, spoken to as terraform's http backend does (internal/backend/remote-state/http/client.go). */
export const HTTP: DoorUnderTest = {
  name: 'http',
  traits: { workspaces: true, tellsHolder: true, means: ['http'], unnamedWrites: null },
  client: (url, as) => httpClient(url, as),
};

function httpClient(url: string, as: DoorCredential): DoorClient {
  const unlock = async (at: Address, info: LockInfo): Promise<Done<'released'>> =>
    done('released', await ask(url, 'UNLOCK', pathOf(at), { as, body: formatLockInfo(info) }));
  return {
    lock: async (at, info, signal) => {
      const body = formatLockInfo(info);
      const options = { as, body, headers: { 'content-type': 'application/json' } };
      const answer = await ask(
        url,
        'LOCK',
        pathOf(at),
        signal === undefined ? options : { ...options, signal },
      );
      if (answer.status === 423) return { type: 'held', holder: infoOf(answer) };
      return answer.status === 200 ? { type: 'granted' } : refused(answer);
    },
    unlock,
    unlockAgain: unlock,
    // OpenTofu's `force-unlock`, which sends the ID that was typed; terraform's sends nothing.
    breakLock: (at, id) =>
      unlock(at, { id, operation: '', info: '', who: '', version: '', created: GO_ZERO_TIME, path: '' }),
    look: async (at) => {
      const answer = await ask(url, 'GET', pathOf(at, 'lock'), { as });
      if (answer.status === 404) return { type: 'free' };
      return answer.status === 200 ? { type: 'locked', info: infoOf(answer) } : refused(answer);
    },
    read: async (at) => {
      const answer = await ask(url, 'GET', pathOf(at), { as });
      if (answer.status === 404) return { type: 'absent' };
      return answer.status === 200 ? { type: 'state', bytes: answer.bytes } : refused(answer);
    },
    write: async (at, bytes, lock) =>
      done('stored', await ask(url, 'POST', writePath(at, lock), { as, body: bytes })),
    delete: async (at, lock) => done('deleted', await ask(url, 'DELETE', writePath(at, lock), { as })),
    close: () => undefined,
  };
}

function pathOf({ project, key, workspace }: Address, ...more: readonly string[]): string {
  const query = [...(workspace === 'default' ? [] : [`workspace=${workspace}`]), ...more].join('&');
  return `/http/${project}/${key}${query === '' ? '' : `?${query}`}`;
}

function writePath(at: Address, lock: LockInfo | null): string {
  return lock === null ? pathOf(at) : pathOf(at, `ID=${lock.id}`);
}

function infoOf({ bytes }: Answer): LockInfo {
  const parsed = parseLockInfo(bytes);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.info;
}

function done<Type extends string>(type: Type, answer: Answer): Done<Type> {
  return answer.status === 200 ? { type } : refused(answer);
}

function refused({ status, text }: Answer): Refused {
  return { type: 'refused', because: becauseOf(status), says: `${status} ${text}` };
}

function becauseOf(status: number): Refused['because'] {
  if (status >= 500) return 'fault';
  if (status === 401 || status === 403) return 'credential';
  if (status === 423) return 'locked';
  return status === 409 || status === 410 || status === 412 ? 'conflict' : 'other';
}
