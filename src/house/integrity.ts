import type { Address } from '../core/address.ts';
import type { Engine, StateSummary } from '../ports/engine.ts';

/** How much is read at a time. */
const PAGE = 100;

type Rows = Pick<Engine, 'credentials' | 'entries' | 'states' | 'versions'>;

/** How many rows were looked at. */
export interface VerifiedRows {
  readonly states: number;
  readonly versions: number;
  readonly credentials: number;
  readonly entries: number;
}

/**
 * Reads everything that is authenticated.
 * @throws {EngineFault} naming the first row that was changed, added or taken away
 */
export async function verifyRows(engine: Rows): Promise<VerifiedRows> {
  const credentials = (await engine.credentials()).length;
  const entries = (await engine.entries(null)).length;
  let [states, versions] = [0, 0];
  for await (const { address } of allStates(engine)) {
    states += 1;
    versions += await countVersions(engine, address);
  }
  return { states, versions, credentials, entries };
}

/** Every address that was ever used. */
async function* allStates(engine: Pick<Engine, 'states'>): AsyncGenerator<StateSummary> {
  let after: Address | undefined;
  for (;;) {
    const query = { used: true, deleted: true, lines: true, limit: PAGE };
    const page = await engine.states(after === undefined ? query : { ...query, after });
    yield* page;
    after = page.at(-1)?.address;
    if (after === undefined) return;
  }
}

async function countVersions(engine: Rows, address: Address): Promise<number> {
  let count = 0;
  let before: number | undefined;
  for (;;) {
    const page = await engine.versions(address, {
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    count += page.length;
    before = page.at(-1)?.number;
    if (before === undefined) return count;
  }
}
