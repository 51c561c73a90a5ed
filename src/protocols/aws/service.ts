import type { DoorRequest } from '../door.ts';

/** Which of the AWS doors a request is for. */
export type AwsService = 's3' | 'dynamodb' | 'query';

type AwsLike = Pick<DoorRequest, 'method' | 'path' | 'header' | 'query'>;

const TARGET = /^DynamoDB(?:Streams)?_/;
const SCOPE = /Credential=[^/\s,]{1,256}\/\d{1,8}\/[\w-]{0,64}\/([\w-]{1,64})\/aws4_request/;
const SCOPE_IN_QUERY =
  /(?:^|&)X-Amz-Credential=[^&%/]{1,256}(?:%2F|\/)\d{1,8}(?:%2F|\/)[\w-]{0,64}(?:%2F|\/)([\w-]{1,64})(?:%2F|\/)aws4_request/i;

/** How AWS's SDKs and the clients of S3 name themselves. */
const AWS_AGENT = /\b(?:aws-sdk|aws-cli|Boto3?|Botocore|minio|rclone|s3cmd|s5cmd)\b/i;
const FORM = /^application\/x-www-form-urlencoded\b/i;

/**
 * Tells AWS calls from all others, whatever their path: by their target, or by the service that they were signed for. So
 * `AWS_ENDPOINT_URL` alone points every AWS client here. A broken signature is still an AWS call, and S3's.
 */
export function awsService(request: AwsLike): AwsService | null {
  if (TARGET.test(request.header('x-amz-target') ?? '')) return 'dynamodb';
  const authorization = request.header('authorization') ?? '';
  const signed = /^AWS/i.test(authorization);
  const presigned = /(?:^|&)(?:X-Amz-(?:Algorithm|Signature|Credential)|AWSAccessKeyId)=/.test(request.query);
  if (!signed && !presigned) return authorization === '' ? unsignedService(request) : null;
  const service = (SCOPE.exec(authorization) ?? SCOPE_IN_QUERY.exec(request.query))?.[1] ?? 's3';
  if (service === 's3' || service === 'dynamodb') return service;
  return 'query';
}

/**
 * What an AWS client asks that does not sign: where a bucket is, which S3 tells anybody, or for a role with a token of another's.
 * They are told by the names that their programs give themselves: any other request without a signature is no AWS call.
 */
function unsignedService({ method, path, query, header }: AwsLike): AwsService | null {
  const isForm = method === 'POST' && FORM.test(header('content-type') ?? '');
  if (path === '/' && (isForm || /(?:^|&)Action=/.test(query))) return 'query';
  const isAws = header('amz-sdk-invocation-id') !== undefined || AWS_AGENT.test(header('user-agent') ?? '');
  return isAws ? 's3' : null;
}
