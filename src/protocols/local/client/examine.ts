import { readFile, stat } from 'node:fs/promises';
import type { Finding, StateClient } from '../../../ports/state-client.ts';
import { lockInfoPath } from '../layout.ts';

/** Permission bits that let others than the owner read. */
const OTHERS_READ = 0o044;

/** What an owner of local states should know. */
export async function examineLocal(
  client: StateClient,
  locate: (workspace: string) => string,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [
    {
      level: 'hint',
      topic: 'reach',
      message: 'states are files on this machine: other machines see neither the states nor their locks',
      next: 'To share them, copy them to another backend: statehouse migrate --to …',
    },
    {
      level: 'hint',
      topic: 'history',
      message: 'only one old version is kept, in the .backup file: "statehouse history" shows it',
      next: '',
    },
  ];
  for (const workspace of (await client.workspaces()) ?? []) {
    const state = locate(workspace);
    const mode = await stat(state).then(
      (found) => found.mode,
      () => null,
    );
    if (mode !== null && (mode & OTHERS_READ) !== 0) {
      findings.push({
        level: 'warning',
        topic: 'permissions',
        message: `${state} can be read by other users of this machine, with every secret in it`,
        next: `chmod 600 ${state}`,
      });
    }
    const lock = await client.inspectLock(workspace);
    const info = await readFile(lockInfoPath(state)).catch(() => null);
    if (lock.type === 'free' && info !== null) {
      findings.push({
        level: 'hint',
        topic: 'stale lock',
        message: `${lockInfoPath(state)} is left from a process that ended without unlocking; it locks nothing`,
        next: `statehouse force-unlock removes it`,
      });
    }
  }
  return findings;
}
