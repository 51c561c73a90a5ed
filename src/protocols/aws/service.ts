import type { DoorRequest } from '../door.ts';

/** Which of the AWS doors a request is for. */
export type AwsService = 's3' | 'dynamodb' | 'query';

const TARGET = /^DynamoDB(?:Streams)?_/;
const SCOPE = /Credential=[^/\s,]{1,256}\/\d{1,8}\/[\w-]{0,64}\/([\w-]{1,64})\/aws4_request/;
const SCOPE_IN_QUERY =
  /(?:^|&)X-Amz-Credential=[^&%/]{1,256}(?:%2F|\/)\d{1,8}(?:%2F|\/)[\w-]{0,64}(?:%2F|\/)([\w-]{1,64})(?:%2F|\/)aws4_request/i;

/**
 * Tells AWS calls from all others, whatever their path: by their target, or by the service that they were signed for. So
 * `AWS_ENDPOINT_URL` alone points every AWS client here. A broken signature is still an AWS call, and S3's.
 */
export function awsService(request: Pick<DoorRequest, 'header' | 'query'>): AwsService | null {
  if (TARGET.test(request.header('x-amz-target') ?? '')) return 'dynamodb';
  const authorization = request.header('authorization') ?? '';
  const signed = /^AWS/i.test(authorization);
  const presigned = /(?:^|&)(?:X-Amz-(?:Algorithm|Signature|Credential)|AWSAccessKeyId)=/.test(request.query);
  if (!signed && !presigned) return null;
  const service = (SCOPE.exec(authorization) ?? SCOPE_IN_QUERY.exec(request.query))?.[1] ?? 's3';
  if (service === 's3' || service === 'dynamodb') return service;
  return 'query';
}
