import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { diffSnapshots } from '../../src/core/snapshot/diff.ts';
import { MASK, printMasked } from '../../src/core/snapshot/masked.ts';
import { readSnapshot } from '../../src/core/snapshot/read.ts';
import type { Snapshot } from '../../src/core/snapshot/snapshot.ts';
import { countState } from '../../src/core/snapshot/count.ts';
import { summarizeSnapshot } from '../../src/core/snapshot/summary.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function snapshot(text: string): Snapshot {
  const read = readSnapshot(encode(text));
  if (!('type' in read) || read.type !== 'snapshot') throw new Error(JSON.stringify(read));
  return read;
}

function state(parts: { outputs?: string; resources?: string; checks?: string; serial?: string }): string {
  return `{"version":4,"terraform_version":"1.11.4","serial":${parts.serial ?? '1'},"lineage":"l",
    "outputs":${parts.outputs ?? '{}'},"resources":[${parts.resources ?? ''}],"check_results":${parts.checks ?? 'null'}}`;
}

function resource(attributes: string, sensitive = '[]', more = ''): string {
  return `{"mode":"managed","type":"terraform_data","name":"a","provider":"provider[\\"terraform.io/builtin/terraform\\"]",
    "instances":[{"schema_version":0,"attributes":${attributes},"sensitive_attributes":${sensitive}${more}}]}`;
}

const shown = (text: string, reveal = false): string =>
  snapshot(text)
    .instances.flatMap(({ attributes }) => attributes)
    .map(({ name, content }) => `${name}=${printMasked(content, reveal)}`)
    .join(' ');

describe('reading a state', () => {
  it('keeps the text of every number', () => {
    const text = state({
      serial: '18446744073709551615',
      resources: resource('{"a":12345678901234567890123,"b":1.0,"c":1e400,"d":-0}'),
    });
    expect(snapshot(text).serial).toBe(18446744073709551615n);
    expect(shown(text)).toBe('a=12345678901234567890123 b=1.0 c=1e400 d=-0');
  });

  it('addresses instances as terraform does', () => {
    const instances = [
      '{}',
      '{"index_key":3}',
      '{"index_key":"a\\"${x}"}',
      '{"deposed":"0a1b2c3d","status":"tainted"}',
    ];
    const make = (module: string, mode: string): string =>
      `{"module":"${module}","mode":"${mode}","type":"t","name":"n","provider":"p","instances":[${instances.join()}]}`;
    const text = state({ resources: [make('module.m[\\"k\\"]', 'managed'), make('', 'data')].join() });
    const read = snapshot(text);
    expect(read.instances.map(({ address }) => address)).toEqual([
      'module.m["k"].t.n',
      'module.m["k"].t.n[3]',
      'module.m["k"].t.n["a\\"$${x}"]',
      'module.m["k"].t.n',
      'data.t.n',
      'data.t.n[3]',
      'data.t.n["a\\"$${x}"]',
      'data.t.n',
    ]);
    expect(read.instances[3]).toMatchObject({ deposed: '0a1b2c3d', tainted: true });
    expect(summarizeSnapshot(read)).toMatchObject({
      resources: 1,
      instances: 3,
      dataInstances: 4,
      deposed: 1,
      tainted: 2,
      modules: 1,
      types: [['t', 4]],
    });
    const counted = countState(encode(text));
    expect(counted).toEqual({ resources: 1, instances: 3, outputs: 0 });
  });

  it('says of an encrypted state only what can be read, and of a broken one what is wrong', () => {
    const envelope = '{"serial":7,"lineage":"x","meta":{},"encrypted_data":"AAAA","encryption_version":"v0"}';
    expect(readSnapshot(encode(envelope))).toEqual({ type: 'encrypted', serial: 7n, lineage: 'x' });
    const problems: readonly (readonly [string, string])[] = [
      ['', 'empty'],
      ['{"version":4,', 'too early'],
      ['[]', 'not a JSON object'],
      ['{"version":3,"serial":1}', 'version 3 is not supported'],
      [state({ resources: '5' }), 'resources[0] is not an object'],
      [state({ outputs: '[]' }), 'outputs is not an object'],
      [state({ resources: '{"mode":"x","type":"t","name":"n"}' }), 'mode is "x"'],
      [`{"version":4,"serial":1,"lineage":"l","x":${'['.repeat(2000)}${']'.repeat(2000)}}`, 'deeper than'],
      ['{"version":4,"serial":1,"lineage":"l","outputs":{"a":nope}}', 'not JSON'],
    ];
    for (const [text, problem] of problems) {
      expect(readSnapshot(encode(text)), text.slice(0, 60)).toMatchObject({
        problem: expect.stringContaining(problem) as string,
      });
    }
  });

  it('survives members that every object inherits', () => {
    const text = state({ resources: resource('{"__proto__":{"x":1},"constructor":"c","toString":null}') });
    expect(shown(text)).toBe('__proto__={"x":1} constructor="c" toString=null');
  });
});

describe('sensitive values', () => {
  const path = (...names: readonly string[]): string =>
    `[${names.map((name) => `{"type":"get_attr","value":"${name}"}`).join()}]`;

  it('are masked where the state lists them, through the wrapper of a dynamic value', () => {
    const wrapped =
      '{"input":{"value":{"h":"host","k":"pw-12"},"type":["object",{"h":"string","k":"string"}]}}';
    const text = state({ resources: resource(wrapped, `[${path('input', 'k')}]`) });
    expect(shown(text)).toContain(`{"h":"host","k":"${MASK}"}`);
    expect(shown(text, true)).toContain('{"h":"host","k":"pw-12"}');
  });

  it('are masked by index, and whole where a path leads into a set', () => {
    const index = (value: string): string => `{"type":"index","value":{"value":${value},"type":"number"}}`;
    const list = `[[{"type":"get_attr","value":"list"},${index('1')}]]`;
    expect(shown(state({ resources: resource('{"list":["a","b"]}', list) }))).toBe(`list=["a","${MASK}"]`);
    const set = `[[{"type":"get_attr","value":"set"},{"type":"index","value":{"value":{"x":"b"},"type":["object",{"x":"string"}]}}]]`;
    expect(shown(state({ resources: resource('{"set":["a","b"],"n":1}', set) }))).not.toMatch(/"[ab]"/);
  });

  it('are masked in every copy: mirrors, texts that contain them, escaped and base64 forms', () => {
    const secret = 's3cr3t"value';
    const escaped = JSON.stringify(secret);
    const copies = [secret, `postgres://u:${secret}@h`, JSON.stringify({ p: secret }), `x ${btoa(secret)} y`];
    const attributes = `{"input":${escaped},"output":${escaped},"urls":${JSON.stringify(copies)},"pin":12345,"plain":"fine"}`;
    const text = state({
      resources: resource(attributes, `[${path('input')}]`),
      outputs: `{"mirror":{"value":${escaped},"type":"string"},"pin":{"value":12345,"type":"number","sensitive":true}}`,
    });
    const urls = copies.map(() => MASK);
    expect(shown(text)).toBe(
      `input="${MASK}" output="${MASK}" urls=${JSON.stringify(urls)} pin="${MASK}" plain="fine"`,
    );
    expect(snapshot(text).outputs.map(({ content }) => printMasked(content, false))).toEqual([
      `"${MASK}"`,
      `"${MASK}"`,
    ]);
    expect(shown(text, true)).toContain('pin=12345 plain="fine"');
  });

  it('are found in no time where many of them, and many texts, begin alike', () => {
    const secrets = Array.from({ length: 5_000 }, (_, index) => `arn:aws:secret${index}`);
    const texts = secrets.map(() => 'arn:aws:'.repeat(20));
    const attributes = `{"password":${JSON.stringify(secrets)},"notes":${JSON.stringify([...texts, 'see arn:aws:secret77.'])}}`;
    const started = process.cpuUsage();
    const notes = snapshot(state({ resources: resource(attributes) })).instances[0]?.attributes[1];
    expect(process.cpuUsage(started).user).toBeLessThan(3_000_000);
    expect(printMasked(notes?.content ?? null, false)).toBe(JSON.stringify([...texts, MASK]));
  });

  it('are known by their name where an old state does not list them', () => {
    const text = state({
      resources: resource('{"master_password":"x","token":"","key_name":"k","private_key_pem":"p"}'),
    });
    expect(shown(text)).toBe(`master_password="${MASK}" token="" key_name="k" private_key_pem="${MASK}"`);
  });

  it('mask the whole instance when the list of paths cannot be read', () => {
    expect(shown(state({ resources: resource('{"a":"x","b":1}', '[["odd"]]') }))).toBe(
      `a="${MASK}" b="${MASK}"`,
    );
  });

  it('never show, whatever the state looks like', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.string({ minLength: 6, maxLength: 20 }), json, fc.string(), (secret, around, prefix) => {
        fc.pre(!MASK.includes(secret) && !JSON.stringify(around).includes(secret));
        const attributes = JSON.stringify({
          input: { value: secret, type: 'string' },
          nested: { around, deep: [{ copy: secret }, prefix + secret] },
        });
        const text = state({
          resources: resource(attributes, `[${path('input')}]`),
          outputs: JSON.stringify({ o: { value: [secret], type: ['list', 'string'] } }),
        });
        const read = snapshot(text);
        const all = [...read.outputs, ...read.instances.flatMap((instance) => instance.attributes)]
          .filter(({ name }) => name !== 'around')
          .map(({ content }) => printMasked(content, false))
          .join('\n');
        expect(all).not.toContain(JSON.stringify(secret).slice(1, -1));
      }),
    );
  });
});

describe('comparing states', () => {
  const base = state({
    outputs: '{"url":{"value":"http://a","type":"string"}}',
    resources: resource('{"id":"1","tags":{"a":"x","b":"y"},"list":[1,2]}'),
    checks:
      '[{"object_kind":"check","config_addr":"check.a","status":"pass","objects":null},{"object_kind":"check","config_addr":"check.b","status":"pass","objects":null}]',
  });

  it('ignores the order of check results and of members', () => {
    const other = base
      .replace('{"a":"x","b":"y"}', '{"b":"y","a":"x"}')
      .replace(/"check_results":.*\]/, (all) =>
        all.replace('check.a', 'check.t').replace('check.b', 'check.a').replace('check.t', 'check.b'),
      );
    expect(diffSnapshots(snapshot(base), snapshot(other)).same).toBe(true);
  });

  it('names each attribute that differs', () => {
    const other = base
      .replace('"b":"y"', '"c d":"z"')
      .replace('[1,2]', '[1,2.0,3]')
      .replace('http://a', 'http://b')
      .replace('"serial":1', '"serial":2');
    const diff = diffSnapshots(snapshot(base), snapshot(other));
    expect(diff.same).toBe(false);
    expect(diff.serial).toEqual({ before: 1n, after: 2n });
    expect(diff.outputs.map(({ path }) => path)).toEqual(['url']);
    const [change] = diff.instances;
    expect(change).toMatchObject({ address: 'terraform_data.a', kind: 'changed' });
    const show = (side: { content: Parameters<typeof printMasked>[0] } | null): string =>
      side === null ? '-' : printMasked(side.content, false);
    expect(
      change?.attributes.map(({ path, before, after }) => `${path}: ${show(before)} ${show(after)}`),
    ).toEqual(['list[1]: 2 2.0', 'list[2]: - 3', 'tags.b: "y" -', 'tags["c d"]: - "z"']);
  });

  it('shows that a secret changed, never what it was', () => {
    const listed = '[[{"type":"get_attr","value":"k"}]]';
    const before = snapshot(state({ resources: resource('{"k":"old-one"}', '[]') }));
    const after = snapshot(state({ resources: resource('{"k":"new-one"}', listed) }));
    const [change] = diffSnapshots(before, after).instances;
    const [attribute] = change?.attributes ?? [];
    expect(printMasked(attribute?.before?.content ?? null, false)).toBe(`"${MASK}"`);
    expect(printMasked(attribute?.after?.content ?? null, false)).toBe(`"${MASK}"`);
  });

  it('tells added, removed and changed beside the attributes', () => {
    const tainted = base.replace(
      '"sensitive_attributes":[]',
      '"sensitive_attributes":[],"status":"tainted","private":"AA=="',
    );
    expect(diffSnapshots(snapshot(base), snapshot(tainted)).instances[0]?.beside).toEqual([
      'tainted',
      'private data',
    ]);
    const empty = state({});
    expect(diffSnapshots(snapshot(empty), snapshot(base)).instances[0]).toMatchObject({ kind: 'added' });
    expect(diffSnapshots(snapshot(base), snapshot(empty)).instances[0]).toMatchObject({ kind: 'removed' });
  });
});
