import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import { NEW_WORLD } from '../../src/core/world.ts';
import type { Caller } from '../../src/house/caller.ts';
import { selectStates } from '../../src/engines/memory/queries.ts';
import {
  keyPrefixOf as azureKeyPrefix,
  stateBlob,
  WORKSPACE_MARK,
} from '../../src/protocols/azurerm/layout.ts';
import { keyPrefixOf as gcsKeyPrefix, lockObject, stateObject } from '../../src/protocols/gcs/layout.ts';
import { pageOfNames, type Named, type NamesAsked } from '../../src/protocols/name-walk.ts';
import { amountOf } from '../support/amount.ts';

// Whatever keys and workspaces are called, a door tells its names in their order, each once, page by page.

interface Door {
  readonly joint: string;
  readonly keyPrefix: (prefix: string) => string;
  readonly namesOf: (address: Address) => readonly string[];
}

const DOORS: Readonly<Record<string, Door>> = {
  gcs: { joint: '/', keyPrefix: gcsKeyPrefix, namesOf: (at) => [stateObject(at), lockObject(at)] },
  azurerm: {
    joint: WORKSPACE_MARK,
    keyPrefix: azureKeyPrefix,
    namesOf: (at) => [stateBlob(at)].filter((name) => name !== null),
  },
};

const text = (letters: readonly string[], max: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: max }).map((parts) => parts.join(''));
const KEY = text(['a', 'b', 'z', '-', '.', '/', 'env:', '\u{1f600}', '\uff5e'], 5).filter(
  (key) => !/^\/|\/$|\/\//.test(key),
);
const WORKSPACE = fc.oneof(fc.constant('default'), text(['a', 'z', '-', '.'], 2));

/** The house here shows all to everybody. */
const CALLER = {} as Caller;

function houseOf(addresses: readonly Address[]): { states: { reads: number; list: never } } {
  const head = { number: 1 } as never;
  const world = { ...NEW_WORLD, record: { ...NEW_WORLD.record, head } };
  const kept = addresses.map((address) => ({ address, world }));
  const list = (_: unknown, query: Parameters<typeof selectStates>[1]): unknown => {
    house.states.reads += 1;
    const states = selectStates(kept as never, query);
    return Promise.resolve({
      type: 'page',
      states,
      next: states.length < query.limit ? null : (states.at(-1)?.address ?? null),
    });
  };
  const house = { states: { reads: 0, list: list as never } };
  return house;
}

async function allPages(
  door: Door,
  house: ReturnType<typeof houseOf>,
  asked: Partial<NamesAsked>,
): Promise<string[]> {
  const prefix = asked.prefix ?? '';
  const terms = {
    project: 'p',
    prefix,
    keyPrefix: door.keyPrefix(prefix),
    joint: door.joint,
    delimiter: '',
    limit: 2,
  };
  const found: string[] = [];
  for (;;) {
    const answer = await pageOfNames<Named>(
      { house, caller: CALLER },
      { ...terms, ...asked, after: found.at(-1) ?? '' },
      ({ address }) => door.namesOf(address).map((name) => ({ name })),
    );
    if (answer.type !== 'names') throw new Error('shut out');
    found.push(...answer.page.map(({ name }) => name));
    if (!answer.more) return found;
  }
}

/** The same of all names at once. */
function expected(names: readonly string[], asked: Partial<NamesAsked>): string[] {
  const { prefix = '', delimiter = '', from = '', to = '' } = asked;
  const bytes = (name: string): Buffer => Buffer.from(name);
  const wanted = names.filter(
    (name) =>
      name.startsWith(prefix) &&
      bytes(name).compare(bytes(from)) >= 0 &&
      (to === '' || bytes(name).compare(bytes(to)) < 0),
  );
  const entries = wanted.map((name) => {
    const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    return end === -1 ? name : name.slice(0, end + delimiter.length);
  });
  return [...new Set(entries)].toSorted((a, b) => bytes(a).compare(bytes(b)));
}

describe.each(Object.entries(DOORS))('names at %s', (_, door) => {
  it('come in their order, each once, whatever is asked', async () => {
    const addresses = fc.uniqueArray(fc.record({ key: KEY, workspace: WORKSPACE }), {
      maxLength: 14,
      selector: ({ key, workspace }) => `${key}@${workspace}`,
    });
    const terms = fc.record({
      prefix: fc.oneof(fc.constant(''), KEY),
      delimiter: fc.constantFrom('', '/', '-'),
      from: fc.oneof(fc.constant(''), KEY),
      limit: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(addresses, terms, async (places, asked) => {
        const all = places.map((place) => ({ project: 'p', ...place }));
        const names = all.flatMap((address) => door.namesOf(address));
        expect(await allPages(door, houseOf(all), asked)).toEqual(expected(names, asked));
      }),
      { numRuns: amountOf('STATEHOUSE_NAME_WALK_RUNS', { few: 60, many: 20_000 }) },
    );
  });

  it('are read as far as a page needs, and folders are passed over', async () => {
    const all = Array.from({ length: 1_000 }, (__, at) => ({
      project: 'p',
      key: `folder-${String(at % 5)}/state-${String(at)}`,
      workspace: 'default',
    }));
    const house = houseOf(all);
    const folders = await allPages(door, house, { delimiter: '/', limit: 1_000 });
    expect(folders).toEqual([0, 1, 2, 3, 4].map((at) => `folder-${at}/`));
    expect(house.states.reads).toBeLessThan(12);
  });
});
