import { z } from 'zod';
import { readBody } from '../../wire/read-body.ts';
import type { Answer, DoorCall } from './call.ts';
import { getBucket } from './buckets.ts';
import { invalid, notDone } from './errors.ts';
import { getObject } from './objects.ts';

const BYTES_MAX: number = 64 * 1024;
const RESOURCE = z.record(z.string(), z.unknown());

/** What a patch of an object may say: what is so of every state. */
const OF_OBJECTS = z.strictObject({
  contentType: z.literal('application/json').optional(),
  metadata: z.strictObject({}).nullish(),
});
const OF_BUCKETS = z.strictObject({
  versioning: z.strictObject({ enabled: z.literal(true) }).optional(),
});

/** A change of what is known of an object changes nothing: it is answered where it is so already, and refused by name otherwise. */
export const patchObject: (call: DoorCall) => Promise<Answer> = (call) =>
  patch(call, OF_OBJECTS, getObject, 'a state has no metadata of its own');

/** `gsutil versioning set on`: versions are always kept. */
export const patchBucket: (call: DoorCall) => Promise<Answer> = (call) =>
  patch(
    call,
    OF_BUCKETS,
    getBucket,
    'versions are always kept, and "statehouse project set" has the settings',
  );

async function patch(
  call: DoorCall,
  allowed: z.ZodType,
  show: (call: DoorCall) => Promise<Answer>,
  instead: string,
): Promise<Answer> {
  const bytes = await readBody(call.request, BYTES_MAX);
  const resource = bytes === null ? undefined : readResource(bytes);
  if (resource === undefined) return invalid('the body is not a JSON object of what is to be changed');
  const answer = await show(call);
  if ('reason' in answer || allowed.safeParse(resource).success) return answer;
  return notDone(`the change of ${Object.keys(resource).join(', ')}`, instead);
}

function readResource(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return RESOURCE.safeParse(bytes.length === 0 ? {} : JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
