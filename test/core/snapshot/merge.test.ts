import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { readParts, type StateParts } from '../../../src/core/snapshot/merge-parts.ts';
import {
  differenceBetween,
  mergeStates,
  type MergeBase,
  type MergeSide,
} from '../../../src/core/snapshot/merge.ts';
import { readSnapshot } from '../../../src/core/snapshot/read.ts';

/** A state as the tests think of it: the text of each instance by resource and index, outputs, checks. */
interface Model {
  readonly resources: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly outputs: Readonly<Record<string, string>>;
}

interface Layout {
  readonly serial?: number;
  readonly version?: string;
  readonly compact?: boolean;
  readonly checks?: string;
  readonly lineage?: string;
}

/** As Terraform lays a state out, or on one line. */
function stateText({ resources, outputs }: Model, layout: Layout = {}): string {
  const { serial = 7, version = '1.11.4', compact = false, checks = 'null', lineage = 'l' } = layout;
  const instance = (index: string, value: string): string =>
    `{\n          "schema_version": 0,\n          "index_key": ${JSON.stringify(index)},\n          "attributes": {\n            "v": ${value}\n          }\n        }`;
  const resource = ([name, instances]: readonly [string, Readonly<Record<string, string>>]): string =>
    `{\n      "mode": "managed",\n      "type": "t",\n      "name": ${JSON.stringify(name)},\n      "provider": "provider[\\"p\\"].${name}",\n      "instances": [\n        ${Object.entries(
      instances,
    )
      .map(([index, value]) => instance(index, value))
      .join(',\n        ')}\n      ]\n    }`;
  const listed = Object.entries(resources).filter(([, instances]) => Object.keys(instances).length > 0);
  const said = Object.entries(outputs).map(
    ([name, value]) => `"${name}": {\n      "value": ${value},\n      "type": "number"\n    }`,
  );
  const text = `{\n  "version": 4,\n  "terraform_version": "${version}",\n  "serial": ${serial},\n  "lineage": "${lineage}",\n  "outputs": ${
    said.length === 0 ? '{}' : `{\n    ${said.join(',\n    ')}\n  }`
  },\n  "resources": ${listed.length === 0 ? '[]' : `[\n    ${listed.map(resource).join(',\n    ')}\n  ]`},\n  "check_results": ${checks}\n}\n`;
  return compact ? text.replaceAll(/\n\s*/g, '') : text;
}

function parts(model: Model, layout: Layout = {}): StateParts {
  return partsOf(stateText(model, layout));
}

function partsOf(text: string): StateParts {
  const read = readParts(Buffer.from(text));
  if (!('type' in read) || read.type !== 'parts') throw new Error(JSON.stringify(read, null, 1));
  return read;
}

const NO_CHOICE: ReadonlyMap<string, MergeSide> = new Map();

function textOf(bytes: Uint8Array | null): string {
  if (bytes === null) throw new Error('there are conflicts');
  return Buffer.from(bytes).toString();
}

/** Every piece of a state by its name, as its own text. */
function pieces(state: StateParts): ReadonlyMap<string, string> {
  return new Map([
    ...[...state.resources.values()].flatMap(({ instances }) =>
      [...instances].map(([key, { text }]) => [key, text] as const),
    ),
    ...[...state.outputs.values()].map(({ label, text }) => [label, text] as const),
  ]);
}

const VALUE = fc.constantFrom('1', '9007199254740993', '1.0', '1e2', '"x"', '[1,{"b":2,"a":1}]', 'null');
const MODEL: fc.Arbitrary<Model> = fc.record({
  resources: fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.dictionary(fc.constantFrom('0', 'x', 'y"\\'), VALUE, { maxKeys: 3 }),
    { maxKeys: 3 },
  ),
  outputs: fc.dictionary(fc.constantFrom('ip', 'id'), VALUE, { maxKeys: 2 }),
});
const LAYOUT: fc.Arbitrary<Layout> = fc.record({ compact: fc.boolean() });
const SIDES = fc.tuple(MODEL, MODEL, MODEL, LAYOUT, LAYOUT);

describe('a merge of a refused state into the newest one', () => {
  it('has each instance and output as exactly one side has it: none is lost, none invented, none reprinted', () => {
    fc.assert(
      fc.property(SIDES, fc.constantFrom<MergeSide>('ours', 'theirs'), ([b, o, t, mine, other], choice) => {
        const [base, ours, theirs] = [parts(b), parts(o, mine), parts(t, other)];
        const asked = mergeStates({ base, ours, theirs }, NO_CHOICE);
        const choices = new Map(asked.conflicts.map(({ name }) => [name, choice]));
        const merged = mergeStates({ base, ours, theirs }, choices);
        expect(merged.conflicts).toEqual([]);
        const result = partsOf(textOf(merged.bytes));
        const [was, wanted, newest, found] = [base, ours, theirs, result].map(pieces);
        const names = new Set([base, ours, theirs].flatMap((side) => [...pieces(side).keys()]));
        const conflicts = new Set(asked.conflicts.map(({ name }) => name));
        expect([...(found?.keys() ?? [])].filter((name) => !names.has(name))).toEqual([]);
        const compact = (text: string | undefined): string | undefined => text?.replaceAll(/\s/g, '');
        for (const name of names) {
          const [x, y, z] = [was, wanted, newest].map((side) => compact(side?.get(name)));
          const takesOurs = conflicts.has(name) ? choice === 'ours' : y !== z && x === z;
          expect(found?.get(name), name).toBe((takesOurs ? wanted : newest)?.get(name));
          expect(conflicts.has(name), name).toBe(y !== z && x !== z && x !== y);
        }
        expect(result.header).toMatchObject({ serial: 8n, lineage: 'l' });
        expect(readSnapshot(merged.bytes ?? new Uint8Array())).toMatchObject({ type: 'snapshot' });
      }),
      { numRuns: 500 },
    );
  });

  it('is the newest state, but for its serial, where the refused one changed nothing', () => {
    fc.assert(
      fc.property(MODEL, MODEL, LAYOUT, LAYOUT, (b, t, mine, other) => {
        const [base, ours, theirs] = [parts(b), parts(b, mine), parts(t, other)];
        const { bytes, isNewest } = mergeStates({ base, ours, theirs }, NO_CHOICE);
        expect(isNewest).toBe(true);
        expect(textOf(bytes)).toBe(theirs.text.replace(/"serial":( ?)7/, '"serial":$18'));
      }),
    );
  });

  it('takes what the refused one has where the newest is what both were made of', () => {
    fc.assert(
      fc.property(MODEL, MODEL, (b, o) => {
        const [base, ours] = [parts(b), parts(o)];
        const { bytes, conflicts } = mergeStates({ base, ours, theirs: base }, NO_CHOICE);
        expect(conflicts).toEqual([]);
        expect(pieces(partsOf(textOf(bytes)))).toEqual(pieces(ours));
      }),
    );
  });

  it('asks about every difference where what both were made of is lost', () => {
    fc.assert(
      fc.property(MODEL, MODEL, (o, t) => {
        const [ours, theirs] = [parts(o), parts(t)];
        const base: MergeBase = 'unknown';
        const { conflicts } = mergeStates({ base, ours, theirs }, NO_CHOICE);
        expect(conflicts.length).toBe(differenceBetween(ours, theirs));
      }),
    );
  });

  it('keeps what both have where they were made of nothing common', () => {
    const ours = parts({ resources: { a: { '0': '1' } }, outputs: {} }, { lineage: 'other' });
    const theirs = parts({ resources: { b: { '0': '2' } }, outputs: {} });
    const { bytes, conflicts } = mergeStates({ base: 'none', ours, theirs }, NO_CHOICE);
    expect(conflicts).toEqual([]);
    const result = partsOf(textOf(bytes));
    expect([...pieces(result).keys()]).toEqual(['t.b["0"]', 't.a["0"]']);
    expect(result.header.lineage).toBe('l');
  });

  it('keeps provider configurations, and asks where both sides changed one', () => {
    const text = stateText({ resources: { a: { '0': '1' } }, outputs: {} });
    const base = partsOf(text);
    const ours = partsOf(text.replace('].a"', '].mine"'));
    const theirs = partsOf(text.replace('].a"', '].theirs"'));
    expect(textOf(mergeStates({ base, ours, theirs: base }, NO_CHOICE).bytes)).toContain('].mine"');
    const asked = mergeStates({ base, ours, theirs }, NO_CHOICE);
    expect(asked.conflicts.map(({ name }) => name)).toEqual(['t.a (settings)']);
    expect(asked.bytes).toBeNull();
    const choices = new Map([['t.a (settings)', 'ours' as const]]);
    expect(textOf(mergeStates({ base, ours, theirs }, choices).bytes)).toContain('].mine"');
  });

  it('takes check results from the side that has changed them, the newest where both have, and never asks', () => {
    const check = (status: string, name = 'a'): string =>
      `[{"object_kind":"check","config_addr":"check.${name}","status":"${status}","objects":null}]`;
    const model = { resources: {}, outputs: {} };
    const merged = (b: string, o: string, t: string): string =>
      textOf(
        mergeStates(
          {
            base: parts(model, { checks: b }),
            ours: parts(model, { checks: o }),
            theirs: parts(model, { checks: t }),
          },
          NO_CHOICE,
        ).bytes,
      );
    expect(merged(check('pass'), check('fail'), check('pass'))).toContain('"fail"');
    expect(merged(check('pass'), check('fail'), check('unknown'))).toContain('"unknown"');
    const both = merged('null', check('pass', 'mine'), check('pass', 'theirs'));
    expect(both).toContain('check.mine');
    expect(both).toContain('check.theirs');
  });

  it('says the newer version of Terraform that wrote what it takes', () => {
    const base = parts({ resources: {}, outputs: {} }, { version: '1.9.0' });
    const ours = parts({ resources: {}, outputs: { ip: '1' } }, { version: '1.11.4' });
    const theirs = parts({ resources: {}, outputs: { id: '1' } }, { version: '1.10.0' });
    const { bytes } = mergeStates({ base, ours, theirs }, NO_CHOICE);
    expect(partsOf(textOf(bytes)).header.terraformVersion).toBe('1.11.4');
  });

  it('tells a deposed object from the current one', () => {
    const base = partsOf(stateText({ resources: { a: { '0': '1' } }, outputs: {} }));
    const text = stateText({ resources: { a: { '0': '1' } }, outputs: {} });
    const current = text.slice(text.indexOf('{\n          "schema_version"'), text.indexOf('\n      ]'));
    const deposed = current.replace('"schema_version": 0,', '"schema_version": 0, "deposed": "1a2b3c4d",');
    const ours = partsOf(text.replace(current, `${current},\n        ${deposed}`));
    const { bytes, changes } = mergeStates({ base, ours, theirs: base }, NO_CHOICE);
    expect(changes).toEqual([{ name: 't.a["0"] (deposed 1a2b3c4d)', kind: 'added', by: 'ours' }]);
    expect(partsOf(textOf(bytes)).resources.get('t.a')?.instances.size).toBe(2);
  });
});

describe('a state that cannot be taken apart', () => {
  it.each([
    ['{"encryption_version":"v0","serial":3,"lineage":"l"}', { type: 'encrypted', serial: 3n, lineage: 'l' }],
    [
      '{"version":4,"serial":1,"lineage":"l","resources":{}}',
      { problem: "the state's resources is not a list" },
    ],
    [
      '{"version":4,"serial":1,"lineage":"l","resources":[1]}',
      { problem: "the state's resource is not an object" },
    ],
    [
      stateText({ resources: { a: { '0': '1' } }, outputs: {} })
        .replace('"index_key": "0"', '"index_key": "0"')
        .replace(/"instances": \[\n\s*(\{[^]*\})\n {6}\]/, '"instances": [$1, $1]'),
      { problem: 'the state has t.a["0"] twice' },
    ],
  ])('is told apart from one that can: %s', (text, expected) => {
    expect(readParts(Buffer.from(text))).toEqual(expected);
  });

  it('may say anything at all without more than a problem', () => {
    const anything = fc
      .json({ maxDepth: 4 })
      .map((value) =>
        Buffer.from(
          `{"version":4,"serial":1,"lineage":"l","resources":[${value}],"outputs":${value},"check_results":${value}}`,
        ),
      );
    fc.assert(
      fc.property(anything, (bytes) => {
        const read = readParts(bytes);
        if ('type' in read && read.type === 'parts') {
          const { bytes: merged } = mergeStates({ base: read, ours: read, theirs: read }, NO_CHOICE);
          expect(textOf(merged)).toContain('"serial":2');
        }
      }),
    );
  });
});
