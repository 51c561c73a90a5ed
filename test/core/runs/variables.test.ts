import { describe, expect, it } from 'vitest';
import { textValue, variablesProblem, variablesText } from '../../../src/core/runs/variables.ts';

describe('variables of a run', () => {
  it.each([
    '"al"',
    '""',
    '3.5',
    'true',
    'null',
    '["a", "b"]',
    '{\n  a = 1\n  "b c" = [2, "}"]\n}',
    String.raw`"say \"hi\" {"`,
    '"${upper("x")} and %%{"',
    '"$${not}"',
    '1 == 2 ? "a" : "b"',
    ' "padded" ',
  ])('may be %j', (value) => {
    expect(variablesProblem([{ key: 'name', value }])).toBe(null);
    expect(variablesText([{ key: 'name', value }])).toBe(`name = ${value.trim()}\n`);
  });

  it.each([
    '',
    '"a"\nb = "c"',
    '"a" b = 3',
    '"open',
    '"a\nb"',
    '[1',
    '1]',
    '(1]',
    '1 # more',
    '1 // more',
    '/* 1 */ 2',
    '<<EOT\nx\nEOT',
    '"${"',
    '1\r2',
  ])('may not be %j', (value) => {
    expect(variablesProblem([{ key: 'name', value }])).toMatch(/invalid value of the variable "name"/);
  });

  it('are named by identifiers', () => {
    expect(variablesProblem([{ key: 'a-b_c', value: '1' }])).toBe(null);
    for (const key of ['', '1a', 'a b', 'a=1\nb', 'a.b'])
      expect(variablesProblem([{ key, value: '1' }])).toMatch(/expected an identifier/);
  });

  it('are bounded', () => {
    const many = Array.from({ length: 1_001 }, (_, i) => ({ key: `v${i}`, value: '1' }));
    expect(variablesProblem(many)).toMatch(/at most/);
    expect(variablesProblem([{ key: 'a', value: '1'.repeat(2_000_000) }])).toMatch(/too large/);
  });

  it('may be made of any text, in which nothing is a template', () => {
    for (const text of [
      '',
      'a"b\\c',
      '${x} %{y} $${z}',
      'two\nlines\t',
      '\b\f\u0001\u2028',
      '# no // comment',
    ])
      expect(variablesProblem([{ key: 'a', value: textValue(text) }]), text).toBe(null);
    expect(textValue('${x} %{y}')).toBe('"$${x} %%{y}"');
    expect(textValue('C:\\bin')).toBe(String.raw`"C:\\bin"`);
    expect(textValue('\b')).toBe('"\\u0008"');
  });
});
