import { z } from 'zod';
import { projectProblem } from '../../../core/address.ts';
import { readBody } from '../../wire/read-body.ts';
import { JSON_PREFIX } from '../layout.ts';
import { jsonReply, type Answer, type DoorCall } from './call.ts';
import { METAGENERATION } from './conditions.ts';
import { invalid, noSuchBucket, refused } from './errors.ts';

/** The largest description of a bucket. */
const BUCKET_BYTES_MAX: number = 64 * 1024;
const BUCKET = z.object({ name: z.string() });

/** Buckets are projects: those that were made, and those that have a state. */
export async function listBuckets(call: DoorCall): Promise<Answer> {
  const seen = await call.house.projects.seen(call.caller);
  if (seen.type !== 'seen') return refused(seen);
  const prefix = call.asked.query.get('prefix') ?? '';
  const items = seen.projects
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, since }) => describeBucket(call, name, since));
  return jsonReply(call, { kind: 'storage#buckets', items });
}

export async function getBucket(call: DoorCall): Promise<Answer> {
  const { house, caller, asked } = call;
  const look = await house.projects.look(caller, asked.bucket);
  if (look.type === 'absent') return noSuchBucket();
  if (look.type !== 'present') return refused(look);
  const since = (await house.projects.find(asked.bucket))?.createdAt ?? 0;
  return jsonReply(call, describeBucket(call, asked.bucket, since));
}

/** A project needs no making, but one that was made is seen before it has a state. */
export async function insertBucket(call: DoorCall): Promise<Answer> {
  const { house, caller, request } = call;
  const bytes = await readBody(request, BUCKET_BYTES_MAX);
  const name = bytes === null ? null : nameIn(bytes);
  if (name === null) return invalid('the body is not a bucket resource with a name');
  const problem = projectProblem(name);
  if (problem !== null) return invalid(`Invalid bucket name: ${problem}`);
  const answer = await house.projects.make(caller, name);
  if (answer.type === 'made-before') {
    const message = 'Your previous request to create the named bucket succeeded and you already own it.';
    return { status: 409, reason: 'conflict', message };
  }
  if (answer.type !== 'made') return refused(answer);
  return jsonReply(call, describeBucket(call, name, await house.now()));
}

/** A bucket as the JSON API describes it: versioned, private, and of one place. */
function describeBucket({ request }: DoorCall, name: string, since: number): Record<string, unknown> {
  const time = new Date(since).toISOString();
  return {
    kind: 'storage#bucket',
    id: name,
    name,
    selfLink: `${request.secure ? 'https' : 'http'}://${request.header('host') ?? ''}${JSON_PREFIX}b/${encodeURIComponent(name)}`,
    projectNumber: '0',
    metageneration: String(METAGENERATION),
    location: 'US',
    locationType: 'multi-region',
    storageClass: 'STANDARD',
    versioning: { enabled: true },
    iamConfiguration: {
      uniformBucketLevelAccess: { enabled: true },
      publicAccessPrevention: 'enforced',
    },
    timeCreated: time,
    updated: time,
  };
}

function nameIn(bytes: Uint8Array): string | null {
  try {
    return BUCKET.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data?.name ?? null;
  } catch {
    return null;
  }
}
