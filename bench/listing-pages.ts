import type { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { AwsSigner } from './aws-signer.ts';
import { RawClient } from './raw-client.ts';

/** The project of all states that are listed, and the address for which many wait. */
export const LISTED_PROJECT = 'bench';
export const AWAITED_KEY = 'awaited';

/** One listing, and how a page of it is asked for. */
export interface Listing {
  readonly name: string;
  readonly page: (house: HouseProcess) => Promise<void>;
}

const BEARER = { authorization: `Bearer ${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
const AZURE = '/azure/bench/bench?restype=container&comp=list&maxresults=1000';
const PREFIX = 'folder-50/state-5';

export const LISTINGS: readonly Listing[] = [
  { name: 'S3, first page of 1,000', page: bucket('') },
  { name: 'S3, first page, by folders', page: bucket('delimiter=%2F&') },
  { name: 'S3, a page in the middle', page: bucket('start-after=folder-50%2F&') },
  { name: 'S3, `env:/`, as before each command of terraform', page: bucket('prefix=env%3A%2F&') },
  { name: 'S3, buckets', page: signed((signer) => signer.s3({ method: 'GET', path: '/' })) },
  { name: 'DynamoDB, Scan', page: scan },
  { name: 'GCS, first page of 1,000', page: gcs('') },
  { name: 'GCS, first page, by folders', page: gcs('&delimiter=%2F') },
  { name: 'GCS, workspaces of a prefix, as terraform', page: gcs(`&prefix=${PREFIX}50%2F&delimiter=%2F`) },
  { name: 'Azure, first page of 1,000', page: get200(AZURE) },
  { name: 'Azure, by folders', page: get200(`${AZURE}&delimiter=%2F`) },
  { name: 'Azure, workspaces of a key, as terraform', page: get200(`${AZURE}&prefix=${PREFIX}50env%3A`) },
  { name: 'Consul, keys of a prefix', page: get200(`/v1/kv/bench/${PREFIX}?keys`) },
  { name: 'Consul, all keys', page: got(`/v1/kv/bench/?keys`, [200, 400]) },
  { name: 'HCP, first page of 20', page: get200('/api/v2/organizations/bench/workspaces') },
  { name: 'API, 100 states', page: get200('/api/v1/states?project=bench&limit=100') },
  { name: 'API, search for what is nowhere', page: get200('/api/v1/states?search=nowhere&limit=100') },
  {
    name: 'API, audit of an action that never was',
    page: get200('/api/v1/audit?action=restore&limit=100'),
  },
  {
    name: 'API, audit of a subject, newest 100',
    page: get200('/api/v1/audit?subject=token:alice&limit=100'),
  },
  {
    name: 'a lock for which 10,000 wait',
    page: get200(`/api/v1/state/lock?address=${LISTED_PROJECT}/${AWAITED_KEY}`),
  },
];

function signed(request: (signer: AwsSigner) => Buffer, taken: readonly number[] = [200]): Listing['page'] {
  const signer = new AwsSigner(TEST_ADMIN, Date.now);
  return async ({ port }) => {
    const client = await RawClient.open(port);
    const status = await client.send(request(signer));
    client.close();
    if (!taken.includes(status)) throw new Error(`a listing was answered ${status}`);
  };
}

/** A table that is there already is answered 400, which is as good. */
async function scan(house: HouseProcess): Promise<void> {
  const TableName = 'locks';
  const table = {
    TableName,
    KeySchema: [{ AttributeName: 'LockID', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'LockID', AttributeType: 'S' }],
    BillingMode: 'PAY_PER_REQUEST',
  };
  await signed((signer) => signer.dynamodb('CreateTable', table), [200, 400])(house);
  await signed((signer) => signer.dynamodb('Scan', { TableName }))(house);
}

function bucket(query: string): Listing['page'] {
  return signed((signer) =>
    signer.s3({ method: 'GET', path: `/${LISTED_PROJECT}`, query: `${query}list-type=2&max-keys=1000` }),
  );
}

function gcs(query: string): Listing['page'] {
  return get200(`/storage/v1/b/${LISTED_PROJECT}/o?maxResults=1000${query}`);
}

function get200(target: string): Listing['page'] {
  return got(target, [200]);
}

function got(target: string, taken: readonly number[]): Listing['page'] {
  return async ({ url }) => {
    const { status, text } = await ask(url, 'GET', target, { headers: BEARER });
    if (!taken.includes(status)) throw new Error(`${target} was answered ${status}: ${text.slice(0, 300)}`);
  };
}
