import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  isAddress,
  keyProblem,
  makeAddress,
  parseAddress,
  projectProblem,
  workspaceProblem,
  type Address,
} from '../../src/core/address.ts';

const word = fc.string({ unit: fc.constantFrom(...'abzAZ09.-_@:%~ é🙂'), minLength: 1, maxLength: 8 });
const project = fc.string({ unit: fc.constantFrom(...'aZ0._-'), minLength: 1, maxLength: 63 });
const key = fc.array(word, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
const workspace = fc.string({ unit: fc.constantFrom(...'aZ09-_.~$&+=:@'), minLength: 1, maxLength: 20 });

/** Every kind of address that is allowed, "@" in keys and workspaces included. */
const address = fc
  .tuple(project, key, fc.oneof(workspace, fc.constant('default')))
  .map((parts) => makeAddress(...parts))
  .filter(isAddress);

function made(...parts: readonly [string, string, string?]): Address {
  const result = makeAddress(...parts);
  if (!isAddress(result)) throw new Error(result.problem);
  return result;
}

describe("an address's text form", () => {
  it('leaves the default workspace out, and is read back', () => {
    expect(formatAddress(made('app', 'net/terraform.tfstate'))).toBe('app/net/terraform.tfstate');
    expect(formatAddress(made('app', 'net/terraform.tfstate', 'dev'))).toBe('app/net/terraform.tfstate@dev');
    expect(parseAddress('app/net/terraform.tfstate@dev')).toEqual(
      made('app', 'net/terraform.tfstate', 'dev'),
    );
    expect(parseAddress('app/a@b/c')).toEqual(made('app', 'a@b/c'));
  });

  it('is read back whatever is in it', () => {
    fc.assert(
      fc.property(address, (one) => {
        expect(parseAddress(formatAddress(one))).toEqual(one);
      }),
      { numRuns: 5_000 },
    );
  });

  it('tells apart what would look the same', () => {
    const texts = [made('p', 'k@a', 'b'), made('p', 'k', 'a@b'), made('p', 'k@a@b'), made('p', 'k@a/b')].map(
      formatAddress,
    );
    expect(texts).toEqual(['p/k@a@b', 'p/k@a%40b', 'p/k@a@b@default', 'p/k@a/b']);
    expect(new Set(texts).size).toBe(4);
  });

  it('is refused, never misread, where it is nonsense', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const result = parseAddress(text);
        if (isAddress(result)) expect(parseAddress(formatAddress(result))).toEqual(result);
      }),
      { numRuns: 1_000 },
    );
    for (const text of [
      '',
      '/',
      'app',
      'app/',
      '/key',
      'app@dev',
      'app/@dev',
      'app/key@',
      'app//key',
      'a b/key',
    ]) {
      expect(isAddress(parseAddress(text)), text).toBe(false);
    }
  });
});

describe('a key', () => {
  it.each([
    ['a/../b', '..'],
    ['..', '..'],
    ['./a', '.'],
    ['a//b', '//'],
    ['/a', 'begin'],
    ['a/', 'end'],
    ['', 'empty'],
    ['a\0b', 'control'],
    ['a\nb', 'control'],
    ['a\u007f', 'control'],
    ['a\ud800b', 'Unicode'],
    ['\udc00', 'Unicode'],
    ['env:/dev/key', 'env:'],
    ['net.tflock', '.tflock'],
    ['net-md5', '-md5'],
    ['net/.lock', '.lock'],
    ['.lockinfo', '.lockinfo'],
  ])('is refused, saying why: %j', (bad, why) => {
    expect(keyProblem(bad)).toContain(why);
  });

  it.each([
    ['a'],
    ['a.b/c d/é'],
    ['...'],
    ['a/..b'],
    ['env:'.repeat(2)],
    ['lock'],
    ['x.lock'],
    ['md5'],
    ['%2F'],
    ['🙂'],
  ])('is accepted: %j', (good) => {
    expect(keyProblem(good)).toBeNull();
  });

  it('is measured in bytes, not characters', () => {
    expect(keyProblem('x'.repeat(900))).toBeNull();
    expect(keyProblem('x'.repeat(901))).toContain('900 bytes');
    expect(keyProblem('é'.repeat(450))).toBeNull();
    expect(keyProblem('é'.repeat(451))).toContain('900 bytes');
    expect(keyProblem('🙂'.repeat(226))).toContain('900 bytes');
  });

  it('that is accepted has neither empty nor dot segments, nor anything unprintable', () => {
    const rough = fc.string({ unit: fc.constantFrom(...'ab./\0\u001f\ud800@:', 'env:'), maxLength: 12 });
    fc.assert(
      fc.property(rough, (text) => {
        if (keyProblem(text) !== null) return;
        expect(text.split('/').some((segment) => ['', '.', '..'].includes(segment))).toBe(false);
        expect(['\0', '\u001f', '\ud800'].some((bad) => text.includes(bad))).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('a project', () => {
  it.each(['acme', 'A', 'a.b-c_d', '0', 'x'.repeat(63)])('may be called %s', (name) => {
    expect(projectProblem(name)).toBeNull();
  });

  it.each(['', '.a', 'a.', '-a', 'a..b', 'a/b', 'a b', 'é', 'a@b', 'a\n', 'x'.repeat(64)])(
    'may not be called %j',
    (name) => {
      expect(projectProblem(name)).not.toBeNull();
    },
  );
});

describe('a workspace', () => {
  // Go's url.PathEscape leaves exactly these as they are.
  it('may have every character that Terraform lets through, and no other', () => {
    const passed = Array.from({ length: 128 }, (_, code) => String.fromCodePoint(code)).filter(
      (character) => workspaceProblem(`a${character}`) === null,
    );
    expect(passed.join('')).toBe('$&+-.0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');
  });

  it.each(['', '.', '..', 'a/b', 'é', 'x'.repeat(91)])('may not be called %j', (name) => {
    expect(workspaceProblem(name)).not.toBeNull();
  });
});
