import type { Finding } from '../../../ports/state-client.ts';
import { isLoopback } from '../../wire/loopback.ts';
import { chunkPrefix, lockKeys } from '../layout.ts';
import type { ConsulConfig } from './config.ts';
import type { Keys } from './keys.ts';
import type { ConsulRequests } from './request.ts';
import { listSessions } from './session.ts';
import { manifestIn } from './state-value.ts';

/** More states than this are not looked at one by one. */
const STATES_MAX = 200;

/** What an owner of states in Consul should know. */
export async function examineConsul(
  config: ConsulConfig,
  requests: ConsulRequests,
  keys: Keys,
  paths: readonly string[],
): Promise<readonly Finding[]> {
  const looked = paths.slice(0, STATES_MAX);
  const lasting = new Set(
    ((await listSessions(requests)) ?? []).filter(({ ends }) => !ends).map(({ id }) => id),
  );
  const left: Finding[] = [];
  for (const path of looked) left.push(...(await examineState(path, keys, lasting)));
  const findings: (Finding | null)[] = [
    {
      level: 'hint',
      topic: 'history',
      message: 'Consul keeps no old versions: a bad write can be undone only from a snapshot',
      next: 'Take snapshots of Consul regularly: consul snapshot save',
    },
    config.locks
      ? null
      : {
          level: 'problem',
          topic: 'locking',
          message: '"lock = false" is set: two applies can run at the same time',
          next: 'Remove it from the backend block.',
        },
    await access(requests),
    isOpen(config)
      ? {
          level: 'warning',
          topic: 'encryption',
          message: 'states and the token travel unencrypted',
          next: 'Set scheme = "https".',
        }
      : null,
    config.insecure
      ? {
          level: 'warning',
          topic: 'encryption',
          message: "the server's certificate is not checked",
          next: 'Unset CONSUL_HTTP_SSL_VERIFY, and give the CA as ca_file.',
        }
      : null,
  ];
  return [...findings.filter((finding) => finding !== null), ...left];
}

/** What runs have left behind that ended before they had put everything away. */
async function examineState(
  path: string,
  keys: Keys,
  lasting: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const { lock, info } = lockKeys(path);
  const [there, told] = [await keys.get(lock), await keys.get(info)];
  const findings: Finding[] = [];
  if (there !== null && there.session !== null && lasting.has(there.session)) {
    findings.push({
      level: 'warning',
      topic: 'session',
      message: `${lock} is held by the session ${there.session}, which has no TTL: it stays when its process ends`,
      next: `If that process has ended: statehouse force-unlock ${there.session}`,
    });
  }
  if (there !== null && there.session === null) {
    findings.push({
      level: 'hint',
      topic: 'session',
      message: `a run ended without releasing ${lock}: its session is gone, and the lock is free`,
      next: 'The next run that takes the lock puts the key away.',
    });
  } else if (there === null && told !== null) {
    findings.push({
      level: 'hint',
      topic: 'session',
      message: `${info} says who holds a lock that is not held`,
      next: `consul kv delete ${info}`,
    });
  }
  const state = await keys.get(path);
  const used = state === null ? null : manifestIn(state);
  const kept = used === null ? '' : chunkPrefix(path, used.hash);
  const stray = (await keys.list(chunkPrefix(path))).filter((prefix) => prefix !== kept);
  if (stray.length > 0) {
    findings.push({
      level: 'hint',
      topic: 'parts',
      message: `parts of ${stray.length === 1 ? 'an old state' : `${stray.length} old states`} are left below ${path}`,
      next: `consul kv delete -recurse ${stray[0] ?? ''}`,
    });
  }
  return findings;
}

/** Whether Consul asks who reads: states have secrets in them. */
async function access(requests: ConsulRequests): Promise<Finding | null> {
  const { status, body } = await requests.send({ method: 'GET', path: 'acl/token/self' });
  if (status === 200 || !/ACL support disabled/i.test(Buffer.from(body).toString())) return null;
  return {
    level: 'warning',
    topic: 'access',
    message: 'ACLs are off: whoever reaches Consul can read and write every state',
    next: 'Turn ACLs on (acl.enabled, with default_policy = "deny").',
  };
}

function isOpen({ endpoint }: ConsulConfig): boolean {
  const host = endpoint.hostname.replaceAll(/[[\]]/g, '');
  return endpoint.protocol === 'http:' && host !== 'localhost' && !isLoopback(host);
}
