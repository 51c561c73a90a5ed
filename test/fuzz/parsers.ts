import { parseLockInfo } from '../../src/core/lock-info.ts';
import { formatAddress, isAddress, parseAddress } from '../../src/core/address.ts';
import { readDurationOrSeconds } from '../../src/core/duration.ts';
import { readStateHeader, StateHeaderScanner } from '../../src/core/state-header.ts';
import { readSnapshot } from '../../src/core/snapshot/read.ts';
import { readSignal } from '../../src/engines/postgres/signals/signal-shape.ts';
import { parseSignature } from '../../src/protocols/aws/signature.ts';
import { canonicalRequest } from '../../src/protocols/aws/canonical.ts';
import { decodeChunks } from '../../src/protocols/aws/chunks.ts';
import { PayloadProblem } from '../../src/protocols/aws/payload-problem.ts';
import { parsePayloadMode, planPayload } from '../../src/protocols/aws/payload.ts';
import { attributeProblem } from '../../src/protocols/dynamodb/attribute.ts';
import { readExpressions } from '../../src/protocols/dynamodb/door/expressions.ts';
import * as requests from '../../src/protocols/dynamodb/door/requests.ts';
import { readLockId, lockIdOf } from '../../src/protocols/dynamodb/layout.ts';
import { canonicalNumber, numberProblem } from '../../src/protocols/dynamodb/number.ts';
import { addressOf, parseQuery } from '../../src/protocols/http/layout.ts';
import { bucketOfHost, readObjectName, readVersionId, stateObject } from '../../src/protocols/s3/layout.ts';
import { readAuthorization } from '../../src/protocols/wire/authorization.ts';
import { readConditions } from '../../src/protocols/wire/conditions.ts';
import { readRange } from '../../src/protocols/wire/ranges.ts';
import { decodeUriText, encodeUri, queryPairs, readQuery } from '../../src/protocols/wire/uri.ts';
import { readXml } from '../../src/protocols/wire/xml-reader.ts';
import { readAddressCursor, readNumberCursor } from '../../src/server/api/cursor.ts';
import { SETTINGS } from '../../src/server/settings.ts';
import { scanForBackend } from '../../src/workdir/literal-scanner.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

/** A parser, what it is usually given, and how it is asked. It may say that something is wrong, and throw nothing. */
export interface FuzzedParser {
  readonly name: string;
  readonly corpus: readonly string[];
  readonly run: (input: Uint8Array, text: string) => unknown;
}

const json = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};

const SIGNED = `AWS4-HMAC-SHA256 Credential=SHTESTTESTTESTTEST/20150830/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'a1'.repeat(32)}`;
const PRESIGNED = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=SHTESTTESTTESTTEST%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=${'a1'.repeat(32)}`;
const EXPRESSION =
  'attribute_not_exists(LockID) AND (contains(Info, :a) OR #b IN (:a, :c)) AND NOT size(a.b[2]) BETWEEN :a AND :c';
const ASKED = {
  TableName: 'locks',
  Key: { LockID: { S: 'acme/env:/dev/net' } },
  Item: {
    LockID: { S: 'acme/x' },
    Info: { S: '{}' },
    n: { N: '1.5e3' },
    s: { SS: ['a', 'b'] },
    m: { M: { a: { L: [{ BOOL: true }] } } },
  },
  ConditionExpression: EXPRESSION,
  UpdateExpression: 'SET Info = if_not_exists(Info, :a), n = n + :c REMOVE x ADD d :c',
  KeyConditionExpression: 'LockID = :a',
  ProjectionExpression: 'Info, #b.c[1]',
  FilterExpression: 'begins_with(Info, :a) AND n >= :c',
  ExpressionAttributeNames: { '#b': 'Info' },
  ExpressionAttributeValues: { ':a': { S: 'x' }, ':c': { N: '1' } },
  ReturnValues: 'ALL_OLD',
  Limit: 3,
  KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
  AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
  ResourceArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/locks',
  Tags: [{ Key: 'a', Value: 'b' }],
  TagKeys: ['a'],
};
const SCHEMAS = Object.values(requests).filter((value) => 'safeParse' in value);
const ITEM = new Map(Object.entries({ LockID: { S: 'acme/x' }, Info: { S: 'x' }, n: { N: '5' } }));
const STATE = JSON.stringify({
  ...(JSON.parse(sampleState(7)) as object),
  resources: [
    {
      mode: 'managed',
      type: 'a',
      name: 'b',
      provider: 'p',
      instances: [
        {
          schema_version: 0,
          attributes: { id: 'x', password: 'y', list: [1, null] },
          sensitive_attributes: [[{ type: 'get_attr', value: 'id' }]],
          index_key: 0,
        },
      ],
    },
  ],
});
const HCL =
  'terraform {\n  backend "s3" {\n    bucket = "b" # c\n    key = "a/${x}"\n    tags = { a = [1, true, null] }\n    doc = <<-EOF\n      x\n    EOF\n  }\n}\n/* c */ resource "a" "b" { for_each = { for k, v in x : k => v } }\n';

export const PARSERS: readonly FuzzedParser[] = [
  {
    name: 'XML',
    corpus: [
      '<?xml version="1.0"?><Delete xmlns="a"><Quiet>true</Quiet><Object><Key>a&amp;b&#x41;</Key></Object><!-- c --><![CDATA[x]]></Delete>',
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"a"</ETag></Part></CompleteMultipartUpload>',
    ],
    run: (input) => readXml(input),
  },
  {
    name: 'URI',
    corpus: ['/acme/env%3A/dev/n%C3%A9t/terraform.tfstate', '/http/acme/net?workspace=dev'],
    run: (_, text) => [
      decodeUriText(text),
      encodeUri(Buffer.from(text).toString('latin1'), true),
      addressOf(text, 'dev'),
    ],
  },
  {
    name: 'query',
    corpus: ['workspace=dev&ID=a+b%20c&lock&wait=5m', PRESIGNED],
    run: (_, text) => [queryPairs(text), readQuery(text), parseQuery(text)],
  },
  {
    name: 'signature in a header',
    corpus: [SIGNED],
    run: (_, text) =>
      signatureOf({
        method: 'GET',
        path: '/a/../b',
        query: '',
        rawHeaders: ['Authorization', text, 'X-Amz-Date', '20150830T123600Z', 'Host', text.slice(0, 20)],
      }),
  },
  {
    name: 'signature in a query',
    corpus: [PRESIGNED],
    run: (_, text) =>
      signatureOf({ method: 'GET', path: text.slice(0, 10), query: text, rawHeaders: ['Host', 'h'] }),
  },
  {
    name: 'aws-chunked',
    corpus: [
      '5\r\nhello\r\n3;chunk-signature=' + 'a1'.repeat(32) + '\r\nabc\r\n0\r\n\r\n',
      '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      '8\r\nhellohel\r\n0\r\n\r\n',
    ],
    run: chunked,
  },
  {
    name: 'payload headers',
    corpus: ['STREAMING-UNSIGNED-PAYLOAD-TRAILER|crc32|AAAAAA==|12', 'a1'.repeat(32)],
    run: (_, text) => payload(text),
  },
  {
    name: 'conditions',
    corpus: ['"a", W/"b"', '*', 'Wed, 21 Oct 2015 07:28:00 GMT'],
    run: (_, text) => readConditions(() => text, { etag: 'a', modified: 5_000 }),
  },
  {
    name: 'range',
    corpus: ['bytes=0-5', 'bytes=-5', 'bytes=5-', 'bytes=0-1,2-3'],
    run: (_, text) => {
      const span = readRange(text, 10);
      must(
        span === null || span === 'unsatisfiable' || (span[0] >= 0 && span[0] < span[1] && span[1] <= 10),
        `a span of nothing: ${String(span)}`,
      );
    },
  },
  {
    name: 'DynamoDB JSON',
    corpus: [JSON.stringify(ASKED), JSON.stringify({ TableName: 'a', Key: ASKED.Key })],
    run: (_, text) =>
      SCHEMAS.map((schema) => (schema as { safeParse: (value: unknown) => unknown }).safeParse(json(text))),
  },
  {
    name: 'DynamoDB attributes',
    corpus: [JSON.stringify(ASKED.Item.m), '{"NS":["1","2.0"]}', '{"B":"AAAA"}', '{"BS":["AAAA"]}'],
    run: (_, text) => attributeProblem(json(text)),
  },
  {
    name: 'DynamoDB condition',
    corpus: [EXPRESSION, 'attribute_exists(a.b.c[3]) OR #b <> :c', 'size(Info) > :c'],
    run: (_, text) => expressions({ ConditionExpression: text }),
  },
  {
    name: 'DynamoDB update',
    corpus: [ASKED.UpdateExpression],
    run: (_, text) => expressions({ UpdateExpression: text }),
  },
  {
    name: 'DynamoDB projection',
    corpus: [ASKED.ProjectionExpression],
    run: (_, text) => expressions({ ProjectionExpression: text }),
  },
  {
    name: 'DynamoDB number',
    corpus: ['1.50e-3', '-0', '123456789012345678901234567890123456789e100'],
    run: (_, text) => {
      if (numberProblem(text) === null)
        must(numberProblem(canonicalNumber(text)) === null, 'a number whose canonical form is none');
    },
  },
  {
    name: 'LockID',
    corpus: ['acme/env:/dev/net/a.tfstate-md5', 'acme/net'],
    run: (_, text) => {
      const read = readLockId(text);
      if (read.kind === 'lock') must(lockIdOf(read.address) === text, 'a LockID that is read as another');
    },
  },
  {
    name: 'lock info',
    corpus: [sampleLock('a'), '{"id":"x","Created":"2026-11-20T06:14:26.010866985+01:00"}'],
    run: (input) => parseLockInfo(input),
  },
  {
    name: 'state header',
    corpus: [sampleState(7), STATE, '{"encryption_version":"v0","serial":1,"lineage":"a"}'],
    run: header,
  },
  { name: 'state', corpus: [STATE, sampleState(2)], run: (input) => readSnapshot(input) },
  { name: 'HCL', corpus: [HCL], run: (_, text) => scanForBackend(text) },
  {
    name: 'S3 key',
    corpus: ['env:/dev/net/a.tfstate.tflock', 'net/a.tfstate'],
    run: (_, text) => {
      const read = readObjectName('acme', text);
      if (read.kind === 'state') must(stateObject(read.address) === text, 'a name that is read as another');
      return readVersionId(text);
    },
  },
  {
    name: 'host',
    corpus: ['acme.s3.us-east-1.amazonaws.com:443', 'acme.localhost:7117', '[::1]:80'],
    run: (_, text) => bucketOfHost(text, 'states.example.com'),
  },
  {
    name: 'address',
    corpus: ['acme/net/a.tfstate@dev', 'acme/n@e/t@a%40b'],
    run: (_, text) => {
      const address = parseAddress(text);
      if (!isAddress(address)) return;
      const again = parseAddress(formatAddress(address));
      must(
        isAddress(again) && formatAddress(again) === formatAddress(address),
        'an address whose text is another',
      );
    },
  },
  {
    name: 'duration',
    corpus: ['1h30m', '250ms', '90', '1.5d'],
    run: (_, text) => readDurationOrSeconds(text),
  },
  {
    name: 'settings',
    corpus: ['127.0.0.1:7117', '[::1]:0', '512', 'true', 'info', '90d', 'postgres://a@b/c'],
    run: (_, text) => Object.values(SETTINGS).map(({ read }) => read(text)),
  },
  {
    name: 'cursor',
    corpus: [
      Buffer.from('["acme","net","dev"]').toString('base64url'),
      Buffer.from('[7]').toString('base64url'),
    ],
    run: (input, text) => [
      readAddressCursor(text),
      readNumberCursor(text),
      readAddressCursor(Buffer.from(input).toString('base64url')),
    ],
  },
  {
    name: 'credential',
    corpus: [`Basic ${Buffer.from('SHTEST:secret').toString('base64')}`, 'Bearer SHTEST.secret'],
    run: (_, text) => readAuthorization(text),
  },
  {
    name: 'signal',
    corpus: [
      JSON.stringify({
        address: { project: 'acme', key: 'a', workspace: 'default' },
        event: 'lock-broken',
        subject: 'token:a',
        door: 'http',
        facts: { lock: 'one' },
        handovers: [{ seat: 'n:1', waiter: 'w' }],
      }),
    ],
    run: (_, text) => readSignal(json(text), 3),
  },
];

function signatureOf(request: Parameters<typeof parseSignature>[0]): unknown {
  const signature = parseSignature(request);
  return 'problem' in signature
    ? signature
    : canonicalRequest(request, signature.scope.service, signature.signedHeaders, 'hash');
}

async function chunked(input: Uint8Array): Promise<void> {
  let bytes = 0;
  try {
    const options = { decodedLength: 8, signed: null, onTrailer: () => undefined };
    for await (const data of decodeChunks(halves(input), options)) bytes += data.length;
    must(bytes === 8, 'other bytes came than were announced');
  } catch (problem) {
    if (!(problem instanceof PayloadProblem)) throw problem;
  }
}

async function* halves(input: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = input.length >> 1;
  yield input.subarray(0, middle);
  yield input.subarray(middle);
}

function payload(text: string): void {
  const [mode = '', digest = '', value = '', length = ''] = text.split('|');
  const read = parsePayloadMode(mode);
  if (read === null) return;
  const headers: Readonly<Record<string, string>> = {
    [`x-amz-checksum-${digest}`]: value,
    'x-amz-trailer': digest,
    'x-amz-decoded-content-length': length,
  };
  try {
    planPayload(read, (name) => headers[name]);
  } catch (problem) {
    if (!(problem instanceof PayloadProblem)) throw problem;
  }
}

function expressions(texts: object): void {
  const read = readExpressions({ ...texts, ExpressionAttributeNames: {}, ExpressionAttributeValues: {} });
  const { ExpressionAttributeNames, ExpressionAttributeValues } = ASKED;
  const named = readExpressions({ ...texts, ExpressionAttributeNames, ExpressionAttributeValues });
  for (const one of [read, named]) {
    if ('error' in one) continue;
    try {
      one.condition(ITEM);
      one.project(ITEM);
      one.update(ITEM);
    } catch (problem) {
      must(problem instanceof Error && problem.constructor.name === 'ExpressionProblem', String(problem));
    }
  }
}

/** All at once or in pieces, the same is read. */
function header(input: Uint8Array): void {
  const scanner = new StateHeaderScanner();
  for (let at = 0; at < input.length; at += 7) scanner.push(input.subarray(at, at + 7));
  const [whole, parts] = [readStateHeader(input), scanner.finish()].map((read) =>
    JSON.stringify(read, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  );
  must(whole === parts, `in one: ${whole}; in pieces: ${parts}`);
}
