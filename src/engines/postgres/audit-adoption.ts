import { codeOf, withFormer } from '../former-codes.ts';
import type { RowKeys } from '../row-keys.ts';
import {
  HEAD,
  linkOf,
  NO_LINK,
  PRUNED,
  prunedEnds,
  STRETCH,
  verifyLog,
  type Read,
  type StoredHead,
} from './audit-chain.ts';
import { toBuffer, toBytes } from './columns.ts';
import type { Row } from './connection.ts';
import { HOUSE } from './rows.ts';
import { replaceAll } from './session/statements.ts';

/** The chain of the records that were there before there were chains. */
const ADOPTED = 'adopted';

/** Authenticates the records that are there as they are. @returns the names of the chains */
export async function adoptLog(read: Read, schema: string, keys: RowKeys): Promise<readonly string[]> {
  const start = { chain: ADOPTED, anchor: NO_LINK, last: 0, link: NO_LINK };
  const heads = await chainAgain(read, schema, keys, () => ({ head: start, former: null }), [start]);
  return heads.filter(({ last }) => last > 0).map(({ chain }) => chain);
}

/**
 * Authenticates the records under another key; their codes under the former one are kept with them.
 * @throws {EngineFault} where a record is not what a server with the former key has written
 */
export async function changeLogKey(
  read: Read,
  schema: string,
  { former, keys }: { readonly former: RowKeys; readonly keys: RowKeys },
): Promise<void> {
  await verifyLog(read, schema, former, []);
  const pruned = [...(await prunedEnds(read, schema, former)).values()];
  for (const statement of replaceAll(
    `${schema}.audit_pruned`,
    ['chain'],
    pruned.map((end) => PRUNED.row(keys, HOUSE, { ...end })),
  ))
    await read(statement);
  const begun = new Map(pruned.map(({ chain, last, link }) => [chain, { last, link }]));
  const stored = HEAD.readAll(former, HOUSE, await read({ text: `SELECT * FROM ${schema}.audit_head` }));
  const starts = stored.map(({ chain, anchor }): StoredHead => {
    const { last, link } = begun.get(chain) ?? { last: 0, link: anchor };
    return { chain, anchor, last, link };
  });
  await chainAgain(
    read,
    schema,
    keys,
    (row, heads) => ({
      head: heads.get(row['chain'] as string) as StoredHead,
      former: toBuffer(withFormer(toBytes(row['mac']), row['former'])),
    }),
    starts,
  );
}

/** Gives the records new codes, each after the head that `place` says. @returns where the chains then end */
async function chainAgain(
  read: Read,
  schema: string,
  keys: RowKeys,
  place: (
    row: Row,
    heads: ReadonlyMap<string, StoredHead>,
  ) => { readonly head: StoredHead; readonly former: Buffer | null },
  starts: readonly StoredHead[],
): Promise<readonly StoredHead[]> {
  const heads = new Map(starts.map((start) => [start.chain, start]));
  for (let after = '0'; ;) {
    const rows = await read({
      text: `SELECT * FROM ${schema}.audit WHERE id > $1 ORDER BY id LIMIT ${STRETCH}`,
      values: [after],
    });
    const columns: [string[], number[], Buffer[], (Buffer | null)[]] = [[], [], [], []];
    for (const row of rows) {
      const placed = place(row, heads);
      const head = heads.get(placed.head.chain) ?? placed.head;
      const { chain } = head;
      const { former } = placed;
      const last = head.last + 1;
      const link = linkOf(keys, head.link, { ...row, chain, link: last, former });
      heads.set(chain, { ...head, last, link });
      columns[0].push(chain);
      columns[1].push(last);
      columns[2].push(toBuffer(link));
      columns[3].push(former);
    }
    await read({
      text: `UPDATE ${schema}.audit AS a SET chain = n.chain, link = n.link, mac = n.mac, former = n.former
        FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[], $5::bytea[])
          AS n (id, chain, link, mac, former) WHERE a.id = n.id`,
      values: [rows.map((row) => row['id']), ...columns],
    });
    after = (rows.at(-1)?.['id'] as string | undefined) ?? after;
    if (rows.length < STRETCH) break;
  }
  const ends = [...heads.values()].filter(({ last }) => last > 0);
  const stored = ends.map((head) => HEAD.row(keys, HOUSE, { ...head, link: codeOf(head.link) }));
  for (const statement of replaceAll(`${schema}.audit_head`, ['chain'], stored)) await read(statement);
  return ends;
}
