import type { Finding, StateClient } from '../../../ports/state-client.ts';
import { DIGEST, HASH_KEY } from '../../dynamodb/layout.ts';
import type { S3Config } from './config.ts';
import type { LockItems } from './items.ts';
import { digestPath } from './names.ts';
import type { S3Objects } from './objects.ts';

/** What {@link LockItems.describe} says of a table that locks fit into. */
const TABLE_KEYS = `${HASH_KEY} (S)`;
/** More workspaces than this are not looked at one by one. */
const WORKSPACES_MAX = 200;

/** What an owner of states in S3 should know. */
export async function examineS3(
  client: StateClient,
  config: S3Config,
  objects: S3Objects,
  items: LockItems | null,
): Promise<readonly Finding[]> {
  const [{ versioned, encrypted }, ineffective] = [await objects.settings(), await objects.ineffective()];
  const findings: (Finding | null)[] = [
    versioned === null ? unknown('versioning', 's3:GetBucketVersioning') : null,
    versioned === true
      ? { level: 'good', topic: 'versioning', message: 'the bucket keeps old versions', next: '' }
      : null,
    versioned === false
      ? {
          level: 'warning',
          topic: 'versioning',
          message: 'the bucket keeps no old versions: a bad write cannot be undone',
          next: `aws s3api put-bucket-versioning --bucket ${config.place.bucket} --versioning-configuration Status=Enabled`,
        }
      : null,
    config.encryption.type === 'none' && encrypted === false
      ? {
          level: 'warning',
          topic: 'encryption',
          message: 'neither the backend block nor the bucket configures encryption',
          next: 'Set encrypt = true.',
        }
      : null,
    client.traits.locks === 'none'
      ? {
          level: 'problem',
          topic: 'locking',
          message: 'neither use_lockfile nor dynamodb_table is set: two applies can run at the same time',
          next: 'Set use_lockfile = true (terraform 1.10, tofu 1.10, or later).',
        }
      : null,
    ineffective.length === 0
      ? null
      : {
          level: 'warning',
          topic: 'bucket settings',
          message: `these settings of the bucket do nothing on this server: ${ineffective.join(', ')}`,
          next: 'Who may do what is said by the grants of credentials (statehouse credential list). Remove the settings, or start the server with --strict-s3, which refuses them.',
        },
  ];
  if (items !== null) findings.push(...(await examineTable(client, config, objects, items)));
  return findings.filter((finding) => finding !== null);
}

async function examineTable(
  client: StateClient,
  config: S3Config,
  objects: S3Objects,
  items: LockItems,
): Promise<readonly Finding[]> {
  const table = await items.describe();
  const findings: Finding[] = [];
  if (table === null) findings.push(unknown('lock table', 'dynamodb:DescribeTable'));
  else if (table.keys !== TABLE_KEYS) {
    findings.push({
      level: 'problem',
      topic: 'lock table',
      message: `the key of the table is ${table.keys}: expected ${TABLE_KEYS} alone`,
      next: `Create a table with the string hash key ${HASH_KEY}.`,
    });
    return findings;
  } else {
    findings.push({
      level: 'good',
      topic: 'lock table',
      message: 'the table has the key LockID (S)',
      next: '',
    });
  }
  for (const workspace of ((await client.workspaces()) ?? []).slice(0, WORKSPACES_MAX)) {
    const digest = await items.get(digestPath(config.place, workspace), DIGEST);
    const key = client.locate(workspace).slice(`s3://${config.place.bucket}/`.length);
    if (digest === null && (await objects.get(key)) !== null) {
      findings.push({
        level: 'hint',
        topic: 'digest',
        message: `the state of ${workspace} has no digest in the table: a stale read would not be detected`,
        next: 'The next write adds one.',
      });
    }
  }
  return findings;
}

function unknown(topic: string, permission: string): Finding {
  return {
    level: 'hint',
    topic,
    message: `${topic} could not be checked`,
    next: `It needs ${permission}.`,
  };
}
