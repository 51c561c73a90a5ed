import { withFormer } from '../former-codes.ts';
import type { RowKeys } from '../row-keys.ts';
import {
  HEAD,
  headFrom,
  nextLink,
  NO_HEAD,
  NO_LINK,
  STRETCH,
  STRETCH_AFTER,
  verifyLog,
  type ChainedRow,
} from './audit-chain.ts';
import { insert } from './columns.ts';
import type { Database } from './files/driver.ts';
import { HOUSE } from './rows.ts';

/**
 * Authenticates the records that are there.
 * @param former the key that they are authenticated with, whose codes are kept with them; null to take them as they are
 * @throws {EngineFault} where a record is not what a server with the former key has written
 */
export function adoptLog(db: Database, keys: RowKeys, former: RowKeys | null): void {
  if (former !== null) verifyLog(db, former, []);
  const rows = db.prepare(STRETCH_AFTER);
  const put = db.prepare('UPDATE audit SET mac = ?, former = ? WHERE id = ?');
  const stored = db.prepare(`SELECT ${HEAD.list} FROM audit_head`).get();
  const { anchor } = former === null ? NO_HEAD : headFrom(former, stored);
  let [link, last] = [anchor, 0];
  for (;;) {
    const some = rows.all(last, STRETCH) as ChainedRow[];
    for (const row of some) {
      const codes = former === null ? null : withFormer(row.mac, row['former']);
      link = nextLink(keys, link, { ...row, former: codes });
      put.run(link, codes, row.id);
      last = row.id;
    }
    if (some.length < STRETCH) break;
  }
  const head = { anchor, last, link: last === 0 ? NO_LINK : link };
  const end = db.prepare(insert('audit_head', `id, ${HEAD.list}`).replace('INSERT', 'REPLACE'));
  end.run(1, ...HEAD.values(keys, HOUSE, head));
}
