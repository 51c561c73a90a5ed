import { randomBytes } from 'node:crypto';

/** Names a PostgreSQL on which every house of a test run is opened that is not told where to keep things. */
export const TEST_DATABASE = 'STATEHOUSE_TEST_DATABASE';
/** Nodes on one PostgreSQL share a key; this one protects nothing but tests. */
const TEST_KEY: string = Buffer.alloc(32, 7).toString('base64');

/** A schema for one house, in the database of this run; null where the run has none. */
export function newTestSchema(): { readonly url: string; readonly masterKeys: string } | null {
  const database = process.env[TEST_DATABASE];
  if (database === undefined || database === '') return null;
  const url = new URL(database);
  url.searchParams.set('schema', `t_${randomBytes(6).toString('hex')}`);
  // A run opens many houses at a time, and a server has a hundred connections.
  url.searchParams.set('pool', '4');
  return { url: url.href, masterKeys: TEST_KEY };
}
