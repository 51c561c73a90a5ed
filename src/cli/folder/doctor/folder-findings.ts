import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { secretsIn } from '../../../protocols/backend.ts';
import type { BackendAttributes } from '../../../protocols/attributes.ts';
import { findBackend } from '../../../protocols/backends.ts';
import type { Finding, StateClient } from '../../../ports/state-client.ts';
import { dataFolderOf } from '../../../workdir/folder.ts';
import { readRecord } from '../../../workdir/record.ts';
import { heldByInWords, lockAge } from '../lock-view.ts';
import type { OpenTarget } from '../target.ts';

/** A lock that is held longer has most likely been forgotten. */
const STALE_AFTER_MS = 24 * 3_600_000;
/** More workspaces than this are not looked at one by one. */
const WORKSPACES_MAX = 200;

/** What is wrong with the folder itself. */
export async function examineFolder({
  client,
  folder,
  choice,
  disagreements,
}: OpenTarget): Promise<readonly Finding[]> {
  const findings: Finding[] = disagreements.map((message) => ({
    level: 'warning',
    topic: 'configuration',
    message,
    next: 'terraform init',
  }));
  const dataFolder = dataFolderOf(folder, choice.env);
  const record = await readRecord(dataFolder).catch(() => null);
  const secrets = record === null ? [] : secretsOf(record.type, record.attributes);
  const configured = secretsOf(choice.type, choice.attributes).filter((name) => !secrets.includes(name));
  if (configured.length > 0) {
    findings.push({
      level: 'warning',
      topic: 'secrets',
      message: `the backend's configuration contains ${configured.join(' and ')} in plain text`,
      next: 'Use an environment variable instead.',
    });
  }
  if (secrets.length > 0) {
    findings.push({
      level: 'warning',
      topic: 'secrets',
      message: `${join(dataFolder, 'terraform.tfstate')} contains ${secrets.join(' and ')} in plain text`,
      next: 'Use an environment variable instead, then run: terraform init -reconfigure',
    });
  }
  if (!client.traits.inFolder) {
    const left = await stat(join(folder, 'terraform.tfstate')).then(
      (found) => found.size > 0,
      () => false,
    );
    if (left) {
      findings.push({
        level: 'hint',
        topic: 'leftovers',
        message: 'a local terraform.tfstate is left over, which this backend does not use',
        next: 'Remove it when you are sure that its content is elsewhere: it contains secrets.',
      });
    }
  }
  return findings;
}

function secretsOf(backend: string, attributes: BackendAttributes): readonly string[] {
  const entry = findBackend(backend);
  return entry === null ? [] : secretsIn(entry, attributes);
}

/** Locks that look forgotten, and states whose lock cannot be read. */
export async function examineLocks(client: StateClient): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const workspace of ((await client.workspaces()) ?? ['default']).slice(0, WORKSPACES_MAX)) {
    const lock = await client.inspectLock(workspace);
    if (lock.type === 'unreadable') {
      findings.push({
        level: 'problem',
        topic: 'stale lock',
        message: `workspace ${workspace}: ${lock.message}`,
        next: 'This lock can be neither taken nor broken. Delete the object that holds it.',
      });
    }
    if (lock.type !== 'held' || lock.holder === null) continue;
    const age = lockAge(lock.holder);
    if (age === null || age < STALE_AFTER_MS) continue;
    findings.push({
      level: 'warning',
      topic: 'stale lock',
      message: `workspace ${workspace} is locked: ${heldByInWords(lock.holder)}`,
      next: `If its holder has ended: statehouse force-unlock --workspace ${workspace}`,
    });
  }
  return findings;
}
