import { readFileSync } from 'node:fs';
import * as dynamo from '@aws-sdk/client-dynamodb';
import * as s3 from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { DoorRequest } from '../../../src/protocols/door.ts';
import { detect as detectDynamo } from '../../../src/protocols/dynamodb/door/detect.ts';
import { detect as detectS3 } from '../../../src/protocols/s3/door/detect.ts';
import { refuseUnknown } from '../../../src/protocols/s3/door/known.ts';
import { OPERATION_NAMES as STS_OPERATIONS } from '../../../src/protocols/sts/door/detect.ts';

// What FIDELITY.md says of each operation is what the doors do with the requests that AWS's own SDK makes of it: an operation
// that comes to be answered, or no longer is, has to be told there.

/** What the SDK needs for the path of a request; members that an operation does not have are left out by it. */
const INPUT = {
  Bucket: 'acme',
  Key: 'net.tfstate',
  Id: 'id',
  UploadId: 'u',
  PartNumber: 1,
  CopySource: 'acme/other',
  Body: '',
  RequestRoute: 'r',
  RequestToken: 't',
  RenameSource: 'a',
  SessionMode: 'ReadWrite',
  TableName: 'locks',
  Tagging: { TagSet: [] },
  Delete: { Objects: [{ Key: 'a' }] },
};
/** Told apart by a header that these inputs do not have, or by a host of their own. */
const OTHERWISE: Readonly<Record<string, 'answered' | 'refused'>> = {
  // A POST to a host of its own, with a parameter that no other operation has.
  WriteGetObjectResponse: 'refused',
};

interface Wire {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

const CREDENTIALS = { accessKeyId: 'AK', secretAccessKey: 'secret' };

/** The request that a command becomes, as it would be sent. */
async function wireOf(service: typeof s3 | typeof dynamo, command: string): Promise<Wire> {
  let seen: Wire | null = null;
  const requestHandler = {
    handle: (request: Wire) => {
      seen = request;
      return Promise.reject(new Error('seen'));
    },
  };
  const settings = {
    credentials: CREDENTIALS,
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    maxAttempts: 1,
    requestHandler,
  };
  const client = (service === s3
    ? new s3.S3Client({ ...settings, forcePathStyle: true })
    : new dynamo.DynamoDBClient(settings)) as unknown as { send(command: unknown): Promise<unknown> };
  const Command = (service as unknown as Record<string, new (input: object) => unknown>)[command];
  if (Command === undefined) throw new Error(`the SDK has no ${command}`);
  const failure = await client.send(new Command(INPUT)).catch((fault: unknown) => fault);
  if (seen === null) throw new Error(`${command} became no request: ${String(failure)}`);
  return seen;
}

/** What a door sees of it. */
function requestOf({ method, path, query, headers }: Wire): DoorRequest {
  const pairs = Object.entries(query).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value ?? ''))}`,
  );
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method,
    path,
    query: pairs.join('&'),
    header: (name: string) => lower.get(name),
    rawHeaders: Object.entries(headers).flat(),
  } as Partial<DoorRequest> as DoorRequest;
}

const operationsOf = (service: object): readonly string[] =>
  Object.keys(service)
    .filter((name) => /^[A-Z]\w+Command$/.test(name) && name !== '$Command')
    .map((name) => name.replace(/Command$/, ''))
    .sort();

/** What a list of FIDELITY.md names, by its first words. */
function listed(door: string, beginning: string): readonly string[] {
  const text = readFileSync(new URL(`../../../src/protocols/${door}/FIDELITY.md`, import.meta.url), 'utf8');
  const line = text.split('\n').find((one) => one.startsWith(beginning)) ?? '';
  return [...line.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '');
}

/** An operation of a name that it does not know shows in a parameter or a header, which are screened. */
function isAnsweredByS3(request: DoorRequest): boolean {
  const asked = detectS3(request, null);
  return 'operation' in asked && refuseUnknown(request, asked) === null;
}

const SERVICES = [
  { door: 's3', service: s3, isAnswered: isAnsweredByS3 },
  { door: 'dynamodb', service: dynamo, isAnswered: (request: DoorRequest) => detectDynamo(request) !== null },
] as const;

describe.each(SERVICES)('FIDELITY.md of the $door door', ({ door, service, isAnswered }) => {
  it('tells of each operation of the service whether it is answered or refused', async () => {
    const [answered, refused]: [string[], string[]] = [[], []];
    for (const name of operationsOf(service)) {
      const known = OTHERWISE[name];
      const is =
        known ?? (isAnswered(requestOf(await wireOf(service, `${name}Command`))) ? 'answered' : 'refused');
      (is === 'answered' ? answered : refused).push(name);
    }
    expect(listed(door, 'Answered: ')).toEqual(answered);
    expect(listed(door, 'Refused: ')).toEqual(refused);
  });

  it('tells no more of an operation in its tables than that', () => {
    const text = readFileSync(new URL(`../../../src/protocols/${door}/FIDELITY.md`, import.meta.url), 'utf8');
    const section = (title: string): string => text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
    const first = (title: string): readonly string[] =>
      section(title)
        .split('\n')
        .filter((row) => row.startsWith('| '))
        .flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''))
        .filter((name) => operationsOf(service).includes(name));
    const refused = listed(door, 'Refused: ');
    for (const title of ['Answered', 'Different on purpose']) {
      expect(first(title).filter((name) => refused.includes(name))).toEqual([]);
    }
  });
});

it('FIDELITY.md of the sts door tells of what is answered', () => {
  const text = readFileSync(new URL('../../../src/protocols/sts/FIDELITY.md', import.meta.url), 'utf8');
  const answered = [...text.matchAll(/^\| (?:IAM's )?`(\w+)` \| answered/gm)].map(([, name]) => name ?? '');
  expect(answered.toSorted()).toEqual([...STS_OPERATIONS].sort());
});
