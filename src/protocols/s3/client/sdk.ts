import type * as Dynamo from '@aws-sdk/client-dynamodb';
import type * as S3 from '@aws-sdk/client-s3';
import type * as Providers from '@aws-sdk/credential-providers';
import { loadOptional } from '../../optional-package.ts';

// The SDK tells every user of an older Node about versions of it that are not used here.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** The AWS SDK, loaded when it is first needed: each part takes a tenth of a second. An installation may have left it out. */

export function loadS3(): Promise<typeof S3> {
  return loadOptional('the s3 backend', '@aws-sdk/client-s3', import('@aws-sdk/client-s3'));
}

export function loadDynamo(): Promise<typeof Dynamo> {
  return loadOptional('the lock table', '@aws-sdk/client-dynamodb', import('@aws-sdk/client-dynamodb'));
}

export function loadProviders(): Promise<typeof Providers> {
  const loading = import('@aws-sdk/credential-providers');
  return loadOptional('the s3 backend', '@aws-sdk/credential-providers', loading);
}
