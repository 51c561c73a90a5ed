import { copyObject, rewriteObject } from './copy.ts';
import { getBucket, insertBucket, listBuckets } from './buckets.ts';
import type { Answer, DoorCall } from './call.ts';
import type { Operation } from './detect.ts';
import { insertObject } from './insert.ts';
import { listObjects } from './listing.ts';
import { deleteObject, getObject } from './objects.ts';
import { cancelUpload, resumeUpload } from './resumable.ts';
import { patchBucket, patchObject } from './patch.ts';

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, (call: DoorCall) => Promise<Answer>>> = {
  'buckets.list': listBuckets,
  'buckets.get': getBucket,
  'buckets.insert': insertBucket,
  'buckets.patch': patchBucket,
  'objects.list': listObjects,
  'objects.get': getObject,
  'objects.insert': insertObject,
  'objects.insert.resume': resumeUpload,
  'objects.insert.cancel': cancelUpload,
  'objects.copy': copyObject,
  'objects.rewrite': rewriteObject,
  'objects.delete': deleteObject,
  'objects.patch': patchObject,
};
