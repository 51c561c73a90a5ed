import {
  createBucket,
  deleteBucket,
  deleteBucketSetting,
  getBucketLocation,
  getBucketSetting,
  headBucket,
  listBuckets,
  putBucketSetting,
} from './buckets.ts';
import type { Answer, DoorCall } from './call.ts';
import type { Operation } from './detect.ts';
import { listObjectsV1, listObjectsV2 } from './listing.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
  uploadPartCopy,
} from './multipart.ts';
import { copyObject } from './copy.ts';
import { getObjectAttributes, getObjectSetting, putObjectSetting } from './object-settings.ts';
import { deleteObject, deleteObjects, getObject, putObject } from './objects.ts';
import { listObjectVersions } from './version-listing.ts';

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, (call: DoorCall) => Promise<Answer>>> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  GetBucketSetting: getBucketSetting,
  PutBucketSetting: putBucketSetting,
  DeleteBucketSetting: deleteBucketSetting,
  ListObjects: listObjectsV1,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  GetObjectSetting: getObjectSetting,
  PutObjectSetting: putObjectSetting,
  GetObjectAttributes: getObjectAttributes,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
};
