import { parse } from '@cdktn/hcl2json';
import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { scanForBackend } from '../../src/workdir/literal-scanner.ts';

/** What HCL's own parser finds, in the scanner's form without lines; null when it finds a syntax error. */
async function parsed(text: string): Promise<unknown[] | null> {
  type Blocks = Record<string, Record<string, unknown[]>>;
  let root: { terraform?: Blocks[] };
  try {
    root = (await parse('a.tf', text)) as typeof root;
  } catch {
    return null;
  }
  const terraform = Array.isArray(root.terraform) ? root.terraform : [];
  return terraform.flatMap((block) =>
    Object.entries(block['backend'] ?? {}).flatMap(([type, bodies]) =>
      // `backend = …` is no block, and `backend "a" "b" {}` has a label too many: terraform refuses both.
      Array.isArray(bodies) ? bodies.map((body) => [type, body]) : [],
    ),
  );
}

/** What is asked of the scanner: to find the same in valid HCL, or to say that it is not sure. */
async function agree(text: string): Promise<'same' | 'unsure' | 'invalid'> {
  const found = scanForBackend(text);
  const wanted = await parsed(text);
  if (wanted === null) return 'invalid';
  if (found === null) return 'unsure';
  const mine = found
    .filter(({ kind }) => kind === 'backend')
    .map(({ type, attributes }) => [type, attributes]);
  expect(mine, text).toEqual(wanted);
  return 'same';
}

const wrap = (body: string): string => `terraform {\n  backend "s3" {\n${body}\n  }\n}\n`;

describe('the literal scanner', () => {
  it('is sure of what people write', async () => {
    const ordinary = [
      wrap('    bucket = "b"\n    key = "a/b" # why\n    encrypt = true\n    max_retries = 3'),
      wrap(
        'endpoints = { s3 = "http://x", "sts" : "y" }\n assume_role {\n role_arn = "r"\n tags = {}\n }\n list = ["a", "b",]',
      ),
      wrap('key = "quote \\" and \\\\ and \\n and $ % {}"\n nothing = null // off\n n = -1.5'),
      'terraform {\n required_version = ">= 1.0"\n required_providers {\n  aws = {\n source = "x"\n }\n }\n backend "local" {}\n}\n',
      `resource "a" "b" {\n x = "\${jsonencode({ a = "}" })}"\n y = <<-EOT\n terraform { backend "x" {} }\n EOT\n}\n${wrap('')}`,
      '/* terraform {\n backend "no" {} } */\n# backend "no" {}\nlocals {\n a = [for x in y : "${x}" if x != "}"]\n}\n',
      'variable "backend" {\n  default = { backend = "s3" }\n}\n',
      'terraform {\n cloud {\n organization = "o"\n }\n}',
      'terraform {}\r\nterraform {\r\n  backend "http" {\r\n    address = "http://a"\r\n  }\r\n}\r\n',
      'module "x" {\n  source = "./x"\n  a = x ? 1 : -2 / 3\n  b = !(a && b) || c[0].d["e"]\n}\n',
    ];
    for (const text of ordinary) expect(await agree(text), text).toBe('same');
  });

  it('is never wrong about what it is not sure of', async () => {
    const odd = [
      wrap('key = "${var.x}"'),
      wrap('key = "a" "b"'),
      wrap('key = <<EOT\nabc\nEOT'),
      wrap('key = 1 + 1'),
      wrap('key = upper("x")'),
      wrap('key = "a"\n key = "b"'),
      wrap('key = "$${x}"'),
      wrap('key = "\\u00e9"'),
      wrap('n = 1e5'),
      wrap('n = 0x10'),
      wrap('a = 1 b = 2'),
      'terraform {\n backend "s3" {',
      'terraform {\n backend s3 {}\n}',
      'terraform {\n backend "s3" "x" {}\n}',
      'terraform "x" {\n backend "s3" {}\n}',
      'terraform = 5',
      'resource "a" "b" { x = "unterminated\n }',
      'resource "a" "b" {\n y = <<EOT\n never ended\n}',
      'resource "a" "b" {\n y = <<EOT\n${"\nEOT\n"}\nEOT\n}\n',
      'a {\n x = [1, 2}\n}\n',
      '\uFEFFterraform {}',
      'terraform { backend "s3" { key = "a" } }',
      'terraform { backend "s3" { key = "a", b = 1 } }',
    ];
    for (const text of odd) await agree(text);
  });

  it('agrees with the parser on whatever is put together from HCL', async () => {
    const text = fc.stringMatching(/^[a-zA-Z0-9 /._:?&=+~{}$%#-]{0,12}$/);
    const literal = fc.oneof(
      text.map((value) => JSON.stringify(value)),
      fc.integer({ min: -1000, max: 1000 }).map(String),
      fc.constantFrom(
        'true',
        'false',
        'null',
        '[]',
        '{}',
        '["a", 1]',
        '{ a = "b" }',
        '1 + 2',
        'var.x',
        '"${a}"',
        'f("}")',
      ),
    );
    const name = fc.constantFrom('a', 'b', 'key', 'bucket', 'endpoints', 'x-y', 'backend', 'terraform');
    const comment = fc.constantFrom('', ' # c }', ' // {', ' /* " */');
    const line = fc.tuple(name, literal, comment).map(([n, v, c]) => `${n} = ${v}${c}\n`);
    const block = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> =>
      fc.tuple(name, inner).map(([n, body]) => `${n} {\n${body}}\n`);
    const body = fc.array(fc.oneof(line, block(line)), { maxLength: 4 }).map((lines) => lines.join(''));
    const inner = fc.oneof(
      body.map((b) => `backend "s3" {\n${b}}\n`),
      body.map((b) => `required_providers {\n${b}}\n`),
      line,
    );
    const top = fc.oneof(
      fc.array(inner, { maxLength: 3 }).map((parts) => `terraform {\n${parts.join('')}}\n`),
      body.map((b) => `resource "a" "b" {\n${b}}\n`),
      fc.constantFrom('# x\n', 'locals { a = "}" }\n', 'l {\n h = <<E\n}\nE\n}\n'),
    );
    const file = fc.array(top, { maxLength: 4 }).map((parts) => parts.join(''));
    let sure = 0;
    await fc.assert(
      fc.asyncProperty(file, async (candidate) => {
        if ((await agree(candidate)) === 'same') sure += 1;
      }),
      { numRuns: 500 },
    );
    expect(sure).toBeGreaterThan(50);
  });
});
