import type { Finding } from '../../../ports/state-client.ts';
import { isLoopback } from '../../wire/loopback.ts';
import { fieldOf, textOf } from '../../wire/json-value.ts';
import type { HcpConfig } from './config.ts';
import type { FoundWorkspace, Workspaces } from './workspaces.ts';

/** More workspaces than this are not looked at one by one. */
const WORKSPACES_MAX = 200;
/** What terraform and we need of a workspace whose plans and applies run here. */
const NEEDED = ['can-read-state-versions', 'can-lock', 'can-unlock', 'can-create-state-versions'] as const;

/** What an owner of workspaces should know. */
export async function examineHcp(
  { hostname, token, block }: HcpConfig,
  api: URL,
  workspaces: Workspaces,
  names: readonly string[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (token === null) {
    findings.push({
      level: 'problem',
      topic: 'authentication',
      message: `there is no token for ${hostname}`,
      next: `terraform login ${hostname}, or a credentials block in ~/.terraformrc.`,
    });
  }
  if (api.protocol === 'http:' && api.hostname !== 'localhost' && !isLoopback(api.hostname)) {
    findings.push({
      level: 'warning',
      topic: 'encryption',
      message: 'states and the token travel unencrypted',
      next: 'Use https in the host block.',
    });
  }
  for (const name of names.slice(0, WORKSPACES_MAX)) {
    const found = await workspaces.find(name);
    if (found !== null) findings.push(...ofWorkspace(workspaces.nameOf(name), found, block));
  }
  return findings;
}

function ofWorkspace(name: string, { attributes, lock }: FoundWorkspace, block: string): readonly Finding[] {
  const permissions = fieldOf(attributes, 'permissions');
  const missing = NEEDED.filter((permission) => fieldOf(permissions, permission) === false);
  const mode = textOf(attributes, 'execution-mode') ?? 'remote';
  const findings: (Finding | null)[] = [
    missing.length === 0
      ? { level: 'good', topic: 'rights', message: `the token may lock, read and write ${name}`, next: '' }
      : {
          level: 'warning',
          topic: 'rights',
          message: `the token lacks ${missing.join(', ')} on ${name}`,
          next: 'Give it the right to write the workspace, if applies run with it.',
        },
    mode === 'local'
      ? null
      : {
          level: 'hint',
          topic: 'execution',
          message: `the runs of ${name} are executed by the server: a lock that is held keeps them waiting`,
          next: '',
        },
    fieldOf(attributes, 'global-remote-state') === true
      ? {
          level: 'warning',
          topic: 'sharing',
          message: `every workspace of the organization may read the state of ${name}, with the secrets in it`,
          next: 'Turn "Share with all workspaces" off, and name those that need it.',
        }
      : null,
    lock !== null && lock.info === null && lock.kind !== 'runs'
      ? {
          level: 'hint',
          topic: 'lock',
          message: `${name} is locked by ${lock.user === '' ? 'someone' : lock.user}, and nothing tells since when`,
          next: `If no ${block} run is at work: statehouse force-unlock`,
        }
      : null,
  ];
  return findings.filter((finding) => finding !== null);
}
