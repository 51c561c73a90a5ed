import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';

/** How an SDK client of the house is set up: with an endpoint, a credential and nothing else. */
function setup(url: string, { id, secret }: Pair, ca?: string): S3ClientConfig & { region: string } {
  // Every name is this machine's, as a wildcard entry in the DNS makes it.
  const lookup = (_: string, options: unknown, found: (...found: unknown[]) => void): void => {
    const all = typeof options === 'object' && options !== null && 'all' in options && options.all === true;
    if (all) found(null, [{ address: '127.0.0.1', family: 4 }]);
    else found(null, '127.0.0.1', 4);
  };
  const agent = { keepAlive: true, maxSockets: 50, lookup: lookup as never };
  return {
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: id, secretAccessKey: secret },
    requestHandler: {
      httpAgent: new Agent(agent),
      httpsAgent: new TlsAgent({ ...agent, ...(ca === undefined ? {} : { ca }) }),
    },
    maxAttempts: 1,
  };
}

export function s3Client(
  url: string,
  as: Pair = TEST_ADMIN,
  more: S3ClientConfig & { ca?: string } = {},
): S3Client {
  const { ca, ...config } = more;
  return new S3Client({ ...setup(url, as, ca), ...config });
}

export function dynamoClient(
  url: string,
  as: Pair = TEST_ADMIN,
  { ca, customUserAgent }: { ca?: string; customUserAgent?: string } = {},
): DynamoDBClient {
  const { endpoint, region, credentials, requestHandler, maxAttempts } = setup(
    url,
    as,
    ca,
  ) as never as Record<string, never>;
  const config = { endpoint, region, credentials, requestHandler, maxAttempts, customUserAgent };
  return new DynamoDBClient(config as never);
}

/** A small state. */
export function stateText(serial: number, lineage = 'lineage', more: object = {}): string {
  const header = { version: 4, terraform_version: '1.11.4', serial, lineage };
  return `${JSON.stringify({ ...header, outputs: {}, resources: [], ...more }, null, 2)}\n`;
}

/** The lock info that Terraform would write. */
export function lockInfo(id: string, path = 'acme/net.tfstate'): string {
  return JSON.stringify({
    ID: id,
    Operation: 'OperationTypeApply',
    Info: '',
    Who: 'user@host',
    Version: '1.11.4',
    Created: '2026-11-20T05:42:24.445834874Z',
    Path: path,
  });
}

/** The error that a call of an SDK ends with: its name and status. */
export function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) =>
      `${error.name} ${error.$metadata?.httpStatusCode}`,
  );
}
