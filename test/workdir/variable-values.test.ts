import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectVariables, type VariableSources } from '../../src/workdir/variable-values.ts';

describe('the variables of a run', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'statehouse-variables-'));
    await write(
      'main.tf',
      'variable "text" {\n  type = string\n}\nvariable "free" {}\nvariable "any" {\n  type = any\n}\n',
    );
    await write(
      'more.tf.json',
      JSON.stringify({ variable: { list: { type: 'list(string)' }, count: { type: 'number' } } }),
    );
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  const collected = async (sources: Partial<VariableSources>): Promise<Record<string, string>> => {
    const { variables } = await collectVariables({ folder, env: {}, values: [], files: [], ...sources });
    return Object.fromEntries(variables.map(({ key, value }) => [key, value]));
  };

  it('takes a text for what the declared type makes of it', async () => {
    const values = ['text=["no list"]', 'free=${x}', 'any="a"', 'list=["a", "b"]', 'count=3', ' text =last'];
    expect(await collected({ values })).toEqual({
      text: '"last"',
      free: '"$${x}"',
      any: '"a"',
      list: '["a", "b"]',
      count: '"3"',
    });
    await write('z_override.tf', 'variable "text" {\n  type = list(string)\n}\n');
    expect(await collected({ values: ['text=["a"]'] })).toEqual({ text: '["a"]' });
  });

  it('sends what the shell has for declared variables, unless a file that travels with the folder has it', async () => {
    const env = {
      TF_VAR_text: 'shell',
      TF_VAR_list: '["a"]',
      TF_VAR_secret: 'not declared',
      TF_VAR_count: '1',
    };
    expect(await collected({ env })).toEqual({ text: '"shell"', list: '["a"]', count: '"1"' });
    await write('terraform.tfvars', 'text = "file"\n');
    await write('b.auto.tfvars.json', '{"list": ["file"]}');
    await write('other.tfvars', 'count = 5\n');
    expect(await collected({ env })).toEqual({ count: '"1"' });
    expect(await collected({ env, values: ['text=line'] })).toEqual({ count: '"1"', text: '"line"' });
  });

  it('reads files of variables, of which the later one and the command line count more', async () => {
    await write(
      'a.tfvars',
      'text = "a"\nlist = [\n  "x", # why\n  "y",\n]\nany = {\n  "k v" = 1.5\n  n = null\n}\nstranger = 1\n',
    );
    await write('b.tfvars.json', '{"text": "${b}\\u0007\\b", "count": 2}');
    const { variables, undeclared } = await collectVariables({
      folder,
      env: { TF_VAR_text: 'shell' },
      values: ['count=7'],
      files: ['a.tfvars', join(folder, 'b.tfvars.json')],
    });
    expect(undeclared).toEqual(['stranger']);
    expect(variables).toEqual([
      { key: 'text', value: '"$${b}\\u0007\\u0008"' },
      { key: 'any', value: '{"k v" = 1.5, "n" = null}' },
      { key: 'list', value: '["x", "y"]' },
      { key: 'count', value: '"7"' },
    ]);
  });

  it('refuses what no variable takes, and what it cannot read as it is meant', async () => {
    await expect(collected({ values: ['nothing'] })).rejects.toThrow(/invalid --var: expected NAME=VALUE/);
    await expect(collected({ values: ['unknown=1'] })).rejects.toThrow(/no variable "unknown" is declared/);
    await expect(collected({ files: ['gone.tfvars'] })).rejects.toThrow(/gone\.tfvars cannot be read/);
    await write('bad.tfvars', 'text = "open\n');
    await expect(collected({ files: ['bad.tfvars'] })).rejects.toThrow(/bad\.tfvars, line 1/);
    await write('large.tfvars', 'count = 9007199254740993\n');
    await expect(collected({ files: ['large.tfvars'] })).rejects.toThrow(
      /"count" in large\.tfvars .* too large/,
    );
  });
});
