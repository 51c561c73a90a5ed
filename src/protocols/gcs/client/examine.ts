import type { Finding } from '../../../ports/state-client.ts';
import { isLoopback } from '../../wire/loopback.ts';
import type { GcsConfig } from './config.ts';
import { fieldOf, listOf, textOf } from '../../wire/json-value.ts';
import type { GcsObjects } from './objects.ts';

const EVERYONE = new Set(['allUsers', 'allAuthenticatedUsers']);

/** What an owner of states in Cloud Storage should know. */
export async function examineGcs(config: GcsConfig, objects: GcsObjects): Promise<readonly Finding[]> {
  const { endpoint } = config;
  const bucket = await objects.bucket();
  const plain: Finding = {
    level: 'warning',
    topic: 'encryption',
    message: 'states and credentials travel unencrypted',
    next: 'Use an https:// endpoint.',
  };
  const isPlain =
    endpoint.protocol === 'http:' &&
    endpoint.hostname !== 'localhost' &&
    !isLoopback(endpoint.hostname.replaceAll(/[[\]]/g, ''));
  const known =
    bucket === null
      ? [unknown('versioning', 'storage.buckets.get')]
      : [...keeping(bucket, config), ...(await publicAccess(bucket, config, objects))];
  return [...known, ...(isPlain ? [plain] : [])];
}

/** Whether what is overwritten or deleted can be had again, and whether anything can be overwritten. */
function keeping(bucket: unknown, { place }: GcsConfig): readonly Finding[] {
  const versioned = fieldOf(fieldOf(bucket, 'versioning'), 'enabled') === true;
  const soft = Number(fieldOf(fieldOf(bucket, 'softDeletePolicy'), 'retentionDurationSeconds') ?? 0);
  const locked = Number(fieldOf(fieldOf(bucket, 'retentionPolicy'), 'retentionPeriod') ?? 0);
  const findings: (Finding | null)[] = [
    versioned
      ? { level: 'good', topic: 'versioning', message: 'the bucket keeps old versions', next: '' }
      : {
          level: 'warning',
          topic: 'versioning',
          message: `the bucket keeps no old versions: ${soft > 0 ? 'a bad write can be undone only by restoring a soft-deleted object' : 'a bad write cannot be undone'}`,
          next: `gcloud storage buckets update gs://${place.bucket} --versioning`,
        },
    soft > 0
      ? {
          level: 'good',
          topic: 'soft delete',
          message: `deleted objects can be restored for ${days(soft)}`,
          next: '',
        }
      : null,
    locked > 0
      ? {
          level: 'problem',
          topic: 'retention',
          message: `the bucket's retention policy keeps every object for ${days(locked)}: states cannot be overwritten, and locks cannot be released`,
          next: `Use another bucket, or: gcloud storage buckets update gs://${place.bucket} --clear-retention-period`,
        }
      : null,
    fieldOf(bucket, 'defaultEventBasedHold') === true
      ? {
          level: 'problem',
          topic: 'retention',
          message:
            'the bucket holds every new object: states cannot be overwritten, and locks cannot be released',
          next: `gcloud storage buckets update gs://${place.bucket} --no-default-event-based-hold`,
        }
      : null,
  ];
  return findings.filter((finding) => finding !== null);
}

async function publicAccess(
  bucket: unknown,
  { place }: GcsConfig,
  objects: GcsObjects,
): Promise<readonly Finding[]> {
  const topic = 'public access';
  const iam = fieldOf(bucket, 'iamConfiguration');
  if (textOf(iam, 'publicAccessPrevention') === 'enforced')
    return [{ level: 'good', topic, message: 'the bucket cannot be made public', next: '' }];
  const policy = await objects.policy();
  const next = `gcloud storage buckets update gs://${place.bucket} --public-access-prevention`;
  const members = listOf(policy, 'bindings').flatMap((binding) => listOf(binding, 'members'));
  const found = members.find((member) => typeof member === 'string' && EVERYONE.has(member));
  if (found !== undefined) {
    const message = `the bucket is open to ${String(found)}: states have secrets in them`;
    return [{ level: 'problem', topic, message, next }];
  }
  const uniform = fieldOf(fieldOf(iam, 'uniformBucketLevelAccess'), 'enabled') === true;
  const message =
    policy === null || !uniform
      ? 'whether the bucket or an object in it is public could not be checked'
      : 'nothing keeps the bucket from being made public';
  return [{ level: 'hint', topic, message, next }];
}

function unknown(topic: string, permission: string): Finding {
  return {
    level: 'hint',
    topic,
    message: `${topic} could not be checked`,
    next: `It needs ${permission}.`,
  };
}

function days(seconds: number): string {
  const count = Math.max(1, Math.round(seconds / 86_400));
  return count === 1 ? 'a day' : `${count} days`;
}
