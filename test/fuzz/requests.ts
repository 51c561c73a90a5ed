import { ROUTES } from '../../src/server/api/table.ts';
import { dynamoAsk } from '../support/ask-signed.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

/** A request that is right, before it is changed. `service` is null where it is not signed. */
export interface KnownRequest {
  readonly method: string;
  readonly target: string;
  readonly service: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const plain = (
  method: string,
  target: string,
  body = '',
  headers: Record<string, string> = {},
): KnownRequest => ({ method, target, service: null, headers, body });
const s3 = (
  method: string,
  target: string,
  body = '',
  headers: Record<string, string> = {},
): KnownRequest => ({ method, target, service: 's3', headers, body });
const dynamo = (operation: string, asked: object): KnownRequest => {
  const { headers = {}, body = '' } = dynamoAsk(operation, { TableName: 'locks', ...asked });
  return { method: 'POST', target: '/', service: 'dynamodb', headers, body };
};
const KEY = { LockID: { S: 'acme/net' } };
const ROUTES_LEFT_OUT = new Set([
  'events',
  'rotate-key',
  'revoke-credential',
  'change-credential',
  'create-credential',
]);

/** What real clients send, one of each kind. */
export const REQUESTS: readonly KnownRequest[] = [
  plain('GET', '/http/acme/net?workspace=dev'),
  plain('POST', '/http/acme/net?workspace=dev&ID=one', sampleState(2), {
    'content-md5': 'AAAA',
    'if-match': '"a"',
  }),
  plain('DELETE', '/http/acme/net'),
  plain('LOCK', '/http/acme/net?wait=1s', sampleLock('one')),
  plain('UNLOCK', '/http/acme/net', sampleLock('one')),
  plain('GET', '/http/acme/net?lock'),
  ...ROUTES.filter(({ operation }) => !ROUTES_LEFT_OUT.has(operation)).map(({ method, path }) =>
    plain(
      method,
      `/api/v1${path.replace(/:\w+/, 'acme')}?address=acme/net@dev&version=1&from=1&limit=2`,
      method === 'GET' ? '' : '{"version":1,"lockId":"one","keepVersions":2}',
    ),
  ),
  s3('GET', '/'),
  s3('PUT', '/acme'),
  s3(
    'GET',
    '/acme?list-type=2&prefix=net&delimiter=%2F&max-keys=5&encoding-type=url&continuation-token=bmV0',
  ),
  s3('GET', '/acme?versions=&key-marker=net&version-id-marker=1'),
  s3('GET', '/acme?uploads='),
  s3('PUT', '/acme?tagging=', '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'),
  s3('GET', '/acme?policy='),
  s3('POST', '/acme?delete=', '<Delete><Object><Key>net</Key><VersionId>1</VersionId></Object></Delete>'),
  s3('GET', '/acme/env%3A/dev/net?versionId=1&response-content-type=a', '', {
    range: 'bytes=0-5',
    'if-none-match': '"a"',
    'x-amz-checksum-mode': 'ENABLED',
  }),
  s3('HEAD', '/acme/net'),
  s3('PUT', '/acme/net', sampleState(3), { 'if-match': '"a"', 'x-amz-checksum-sha256': 'AAAA' }),
  s3('PUT', '/acme/net', '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': '5',
    'x-amz-trailer': 'x-amz-checksum-crc32',
  }),
  s3('PUT', '/acme/net', '', { 'x-amz-copy-source': 'acme/net?versionId=1' }),
  s3('DELETE', '/acme/net?versionId=d1'),
  s3('PUT', '/acme/net.tflock', sampleLock('two'), { 'if-none-match': '*' }),
  s3('DELETE', '/acme/net.tflock'),
  s3('POST', '/acme/net?uploads='),
  s3('PUT', '/acme/net?partNumber=1&uploadId=x', 'part'),
  s3(
    'POST',
    '/acme/net?uploadId=x',
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>',
  ),
  s3('GET', '/acme/net?uploadId=x&max-parts=3&part-number-marker=1'),
  dynamo('GetItem', { Key: KEY, ConsistentRead: true, ProjectionExpression: 'Info' }),
  dynamo('PutItem', {
    Item: { ...KEY, Info: { S: sampleLock('three') } },
    ConditionExpression: 'attribute_not_exists(LockID)',
  }),
  dynamo('DeleteItem', {
    Key: KEY,
    ReturnValues: 'ALL_OLD',
    ConditionExpression: 'contains(Info, :a)',
    ExpressionAttributeValues: { ':a': { S: 'x' } },
  }),
  dynamo('UpdateItem', {
    Key: KEY,
    UpdateExpression: 'SET Info = :a',
    ExpressionAttributeValues: { ':a': { S: sampleLock('four') } },
  }),
  dynamo('Query', {
    KeyConditionExpression: 'LockID = :a',
    ExpressionAttributeValues: { ':a': { S: 'acme/net' } },
  }),
  dynamo('Scan', {
    Limit: 2,
    FilterExpression: 'Fence > :n',
    ExpressionAttributeValues: { ':n': { N: '0' } },
  }),
  dynamo('CreateTable', {
    KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
    Tags: [{ Key: 'a', Value: 'b' }],
  }),
  dynamo('DescribeTable', {}),
  dynamo('ListTables', { Limit: 3, ExclusiveStartTableName: 'a' }),
  dynamo('TagResource', {
    ResourceArn: 'arn:aws:dynamodb:us-east-1:0:table/locks',
    Tags: [{ Key: 'a', Value: 'b' }],
  }),
  dynamo('UpdateContinuousBackups', {
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  }),
  {
    method: 'POST',
    target: '/',
    service: 'sts',
    headers: {},
    body: 'Action=GetCallerIdentity&Version=2011-06-15',
  },
];
