import { csvLine } from '../../api/csv.ts';
import { Budget } from '../../house/budget.ts';
import type { Caller } from '../../house/caller.ts';
import type { ExploreAnswer, Exploring, FoundState } from '../../house/explorer/explorer.ts';
import type { House } from '../../house/house.ts';

/** States of one export; whoever wants more asks for less at a time, such as a project. */
export const EXPORT_STATES_MAX = 10_000;
const PAGE = 100;
/** Exports that are under way at a time, and how many of them one credential or network address may have. */
const LIMITS = { max: 8, subjectMax: 2, peerMax: 6 } as const;
const COLUMNS = [
  'state',
  'version',
  'written',
  'writer',
  'terraform',
  'resource',
  'type',
  'provider',
  'values',
] as const;

type Found = Extract<ExploreAnswer, { type: 'found' }>;

/** What is found in states, as CSV: read page by page, as fast as it is taken. */
export class ExploredCsv {
  readonly #house: Pick<House, 'explorer'>;
  readonly #budget = new Budget(LIMITS);

  constructor(house: Pick<House, 'explorer'>) {
    this.#house = house;
  }

  /** @returns the lines, with a way to end them early; "busy" where too many are under way; or why nothing is told */
  async begin(
    caller: Caller,
    asked: Omit<Exploring, 'limit' | 'cursor'>,
  ): Promise<
    | { readonly type: 'lines'; readonly lines: AsyncIterable<Uint8Array>; readonly end: () => void }
    | { readonly type: 'busy' }
    | Exclude<ExploreAnswer, Found>
  > {
    const holding = this.#budget.begin(caller);
    const end = (): void => holding.release();
    if (!holding.take(1)) {
      end();
      return { type: 'busy' };
    }
    try {
      const first = await this.#house.explorer.find(caller, { ...asked, limit: PAGE });
      if (first.type === 'found') return { type: 'lines', lines: this.#read(caller, asked, first, end), end };
      end();
      return first;
    } catch (fault) {
      end();
      throw fault;
    }
  }

  async *#read(
    caller: Caller,
    asked: Omit<Exploring, 'limit' | 'cursor'>,
    first: Found,
    end: () => void,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from(csvLine(COLUMNS));
      let told = 0;
      for (let page = first; ;) {
        yield Buffer.from(page.states.flatMap(linesOf).join(''));
        told += page.states.length;
        if (page.next === null || told >= EXPORT_STATES_MAX) return;
        const next = await this.#house.explorer.find(caller, { ...asked, limit: PAGE, cursor: page.next });
        // An export that stops in the middle must not look whole.
        if (next.type !== 'found') throw new Error(`an export was stopped: ${next.type}`);
        page = next;
      }
    } finally {
      end();
    }
  }
}

/** A line for each resource that fits, or one for the state where nothing is asked of resources. */
function linesOf(state: FoundState): readonly string[] {
  const { name, version, at, writer, terraformVersion, resources } = state;
  const head = [name, version, new Date(at).toISOString(), writer, terraformVersion];
  if (resources.length === 0) return [csvLine([...head, '', '', '', ''])];
  return resources.map(({ address, type, provider, values }) =>
    csvLine([...head, address, type, provider, values.map(([path, value]) => `${path}=${value}`).join(' ')]),
  );
}
