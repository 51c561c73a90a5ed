import { projectProblem } from '../../../core/address.ts';
import type { DoorSetting } from '../../../house/projects.ts';
import { openPayload, planPayload } from '../../aws/payload.ts';
import { readXml, xmlText } from '../../wire/xml-reader.ts';
import { HOME_REGION } from '../layout.ts';
import { readBody } from '../../wire/read-body.ts';
import {
  documentReply,
  DOCUMENT_BYTES_MAX,
  emptyReply,
  isoTime,
  type Answer,
  type DoorCall,
} from './call.ts';
import { invalid, invalidArgument, malformedXml, noSuchBucket, refused, type S3Error } from './errors.ts';
import { owner, readToken, writeToken } from './listing.ts';
import { aclOfHeaders } from './acl.ts';
import { enabledObjectLock, getObjectLock, putObjectLock } from './object-lock.ts';
import { notDone, saying, undoneBySetting } from './undone.ts';
import { settingProblem, withRuleIds } from './setting-rules.ts';
import { UNSET } from './unset.ts';

/** Amazon S3 user guide, "General purpose bucket naming rules"; each part of a name begins and ends as a host's does. */
const BUCKET_NAME =
  /^(?!\d+\.\d+\.\d+\.\d+$)(?=.{3,63}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
/** Kept by S3 for names of its own. */
const RESERVED_NAME = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;
/** Buckets of one page, at most and by default (Amazon S3 API reference, ListBuckets). */
const LIST_BUCKETS_MAX = 10_000;

/** Buckets are projects: those that were made, and those that have a state. */
export async function listBuckets(call: DoorCall): Promise<Answer> {
  const { caller, house, authenticatedRequest, asked } = call;
  const most = asked.query.get('max-buckets') ?? String(LIST_BUCKETS_MAX);
  if (!/^\d{1,5}$/.test(most) || Number(most) < 1 || Number(most) > LIST_BUCKETS_MAX) {
    const expected = `Argument max-buckets must be an integer between 1 and ${LIST_BUCKETS_MAX}`;
    return invalidArgument('max-buckets', most, expected);
  }
  const token = asked.query.get('continuation-token');
  const after = token === undefined ? '' : readToken(token);
  if (token !== undefined && after === null) {
    return invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  }
  const seen = await house.projects.seen(caller);
  if (seen.type !== 'seen') return refused(seen);
  const prefix = asked.query.get('prefix');
  const all = seen.projects.filter(({ name }) => name.startsWith(prefix ?? '') && name > (after ?? ''));
  const page = all.slice(0, Number(most));
  const last = page.at(-1);
  return documentReply(call, 'ListAllMyBucketsResult', {
    Owner: owner(),
    Buckets: {
      Bucket: page.map(({ name, since }) => ({
        Name: name,
        CreationDate: isoTime(since),
        BucketRegion: regionOf(authenticatedRequest.verified.signature.scope.region),
      })),
    },
    ContinuationToken: page.length < all.length && last !== undefined ? writeToken(last.name) : undefined,
    Prefix: prefix,
  });
}

/** CreateBucket: a project needs no making, but one that was made is seen before it has a state. */
export async function createBucket(call: DoorCall): Promise<Answer> {
  const { asked, caller, house, authenticatedRequest } = call;
  const { bucket } = asked;
  const bytes = await readDocument(call);
  if (!(bytes instanceof Uint8Array)) return bytes;
  if (bytes.length > 0 && readXml(bytes)?.name !== 'CreateBucketConfiguration') return malformedXml();
  if (!BUCKET_NAME.test(bucket) || RESERVED_NAME.test(bucket) || projectProblem(bucket) !== null) {
    return {
      status: 400,
      code: 'InvalidBucketName',
      message: 'The specified bucket is not valid.',
      details: { BucketName: bucket },
    };
  }
  const answer = await house.projects.make(caller, bucket);
  if (answer.type !== 'made' && answer.type !== 'made-before') return refused(answer);
  const { region } = authenticatedRequest.verified.signature.scope;
  if (answer.type === 'made-before' && regionOf(region) !== HOME_REGION) {
    return {
      status: 409,
      code: 'BucketAlreadyOwnedByYou',
      message: 'Your previous request to create the named bucket succeeded and you already own it.',
      details: { BucketName: bucket },
    };
  }
  if (call.request.header('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true') {
    const set = await house.projects.set(caller, bucket, enabledObjectLock());
    if (set.type !== 'set') return refused(set);
  }
  return emptyReply(call, 200, { location: `/${bucket}` });
}

export async function headBucket(call: DoorCall): Promise<Answer> {
  const missing = await refuseUnseen(call);
  if (missing !== null) return missing;
  const { region } = call.authenticatedRequest.verified.signature.scope;
  return emptyReply(call, 200, {
    'x-amz-bucket-region': regionOf(region),
    'x-amz-access-point-alias': 'false',
    'content-type': 'application/xml',
  });
}

/** DeleteBucket forgets what was set; what holds states, or their history, stays. */
export async function deleteBucket(call: DoorCall): Promise<Answer> {
  const missing = await refuseUnseen(call);
  if (missing !== null) return missing;
  const { house, caller, asked } = call;
  const page = await house.states.list(caller, { project: asked.bucket, deleted: true, limit: 1 });
  if (page.type !== 'page') return refused(page);
  if (page.states.length > 0) {
    return {
      status: 409,
      code: 'BucketNotEmpty',
      message: 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.',
      details: { BucketName: asked.bucket },
    };
  }
  const answer = await house.projects.forget(caller, asked.bucket);
  return answer.type === 'forgotten' ? emptyReply(call, 204) : refused(answer);
}

/** Every region is this one: each client is told the region that it signed for. */
export async function getBucketLocation(call: DoorCall): Promise<Answer> {
  const missing = await refuseUnseen(call);
  if (missing !== null) return missing;
  const region = regionOf(call.authenticatedRequest.verified.signature.scope.region);
  const reply = documentReply(call, 'LocationConstraint', {});
  if (region === HOME_REGION) return reply;
  const text = Buffer.from(reply.body as Uint8Array).toString();
  return {
    ...reply,
    body: Buffer.from(text.replace('></LocationConstraint>', `>${region}</LocationConstraint>`)),
  };
}

/** Settings are remembered and shown again. None of them but the object lock changes what the house does, which the answer says. */
export async function getBucketSetting(call: DoorCall): Promise<Answer> {
  const missing = await refuseUnseen(call);
  if (missing !== null) return missing;
  const { setting, bucket } = call.asked;
  if (setting === 'object-lock') return getObjectLock(call);
  const kept = (await call.house.projects.find(bucket))?.[nameOf(setting)];
  const undone = typeof kept === 'string' ? undoneBySetting(setting, kept) : null;
  // Shown, it would be taken for what holds.
  const shown = call.strict && undone !== null ? null : kept;
  const answer = typeof shown === 'string' ? shown : (UNSET[setting] ?? noSuchBucket(bucket));
  if (typeof answer !== 'string') return { ...answer, details: { BucketName: bucket } };
  const type = setting === 'policy' ? 'application/json' : 'application/xml';
  const reply = emptyReply(call, 200, { 'content-type': type });
  const whole = { ...reply, body: Buffer.from(answer) };
  return undone === null || call.strict ? whole : saying(whole, [undone]);
}

export async function putBucketSetting(call: DoorCall): Promise<Answer> {
  const bytes = await readDocument(call);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const missing = await refuseUnseen(call);
  if (missing !== null) return missing;
  const { setting, bucket } = call.asked;
  if (setting === 'acl' && bytes.length === 0) return putAclOfHeaders(call);
  const document = setting === 'policy' ? null : readXml(bytes);
  if (setting !== 'policy' && document === null) return malformedXml();
  if (setting === 'object-lock' && document !== null) return putObjectLock(call, document);
  if (setting === 'versioning' && document !== null && xmlText(document, 'Status') !== 'Enabled') {
    return {
      status: 409,
      code: 'InvalidBucketState',
      message: 'Versioning is always on here: every version of a state is kept.',
    };
  }
  const problem = document === null ? null : settingProblem(setting, document);
  if (problem !== null) return problem;
  const text = completed(setting, Buffer.from(bytes).toString());
  const undone = undoneBySetting(setting, text);
  if (call.strict && undone !== null) return notDone([undone]);
  const answer = await call.house.projects.set(call.caller, bucket, { [nameOf(setting)]: text });
  if (answer.type !== 'set') return refused(answer);
  const reply = emptyReply(call, setting === 'policy' ? 204 : 200);
  return undone === null ? reply : saying(reply, [undone]);
}

/** An ACL comes in a document or in headers, which are looked at for what is not done with those of every request. */
async function putAclOfHeaders(call: DoorCall): Promise<Answer> {
  const acl = aclOfHeaders(call.request);
  if (acl !== null && typeof acl !== 'string') return acl;
  const answer = await call.house.projects.set(call.caller, call.asked.bucket, { [nameOf('acl')]: acl });
  return answer.type === 'set' ? emptyReply(call, 200) : refused(answer);
}

export async function deleteBucketSetting(call: DoorCall): Promise<Answer> {
  const missing = await refuseUnseen(call);
  if (missing !== null) return missing;
  const { setting, bucket } = call.asked;
  if (setting === 'versioning') return invalid('Versioning is always on here.');
  const answer = await call.house.projects.set(call.caller, bucket, { [nameOf(setting)]: null });
  return answer.type === 'set' ? emptyReply(call, 204) : refused(answer);
}

/**
 * A small document in the body, checked as its headers promise.
 * @param checksums whether checksums in headers are the document's own
 */
export async function readDocument(
  { request, authenticatedRequest }: DoorCall,
  bytesMax: number = DOCUMENT_BYTES_MAX,
  checksums: 'own' | 'of-the-object' = 'own',
): Promise<Uint8Array | S3Error> {
  const plan = planPayload(authenticatedRequest.mode, (name) =>
    checksums !== 'own' && /^x-amz-(?:sdk-)?checksum-/.test(name) ? undefined : request.header(name),
  );
  const body = openPayload(request.body, plan, authenticatedRequest.verified);
  const bytes = await readBody(
    { body, contentLength: plan.decodedLength ?? request.contentLength, keep: request.keep },
    bytesMax,
  );
  return bytes ?? { status: 400, code: 'MaxMessageLengthExceeded', message: 'Your request was too big.' };
}

/** A bucket is there once it was made or has a state; until then its settings are nowhere. */
async function refuseUnseen(call: DoorCall): Promise<S3Error | null> {
  const { house, caller, asked } = call;
  const answer = await house.projects.look(caller, asked.bucket);
  if (answer.type === 'present') return null;
  return answer.type === 'absent' ? noSuchBucket(asked.bucket) : refused(answer);
}

function nameOf(setting: string): DoorSetting {
  return `s3-${setting}`;
}

/** What S3 adds where nothing was said: names of rules, and of every encryption rule whether bucket keys are on. */
function completed(setting: string, text: string): string {
  if (setting === 'lifecycle') return withRuleIds(text);
  if (setting !== 'encryption' || text.includes('BucketKeyEnabled>')) return text;
  return text.replace('</Rule>', '<BucketKeyEnabled>false</BucketKeyEnabled></Rule>');
}

/** Clients that are not tied to a region sign for this one (`aws-global` is what some of them call it). */
function regionOf(region: string): string {
  return region === 'aws-global' || region === '' ? HOME_REGION : region;
}
