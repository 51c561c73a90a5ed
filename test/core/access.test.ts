import { fc } from '../support/chance.ts';
import { describe, expect, it } from 'vitest';
import {
  areWithin,
  keyPrefixesIn,
  knowsProject,
  mayActInProject,
  mayActOn,
  mayActOnHouse,
  projectsInReach,
  type Action,
} from '../../src/core/access.ts';
import { isExpired, isRole, patternProblem, ROLES, type Grant, type Role } from '../../src/core/grant.ts';
import { isAddress, parseAddress, type Address } from '../../src/core/address.ts';

const ACTIONS: readonly (readonly [Action, Role])[] = [
  ['read-outputs', 'outputs'],
  ['read', 'reader'],
  ['list', 'reader'],
  ['write', 'writer'],
  ['lock', 'writer'],
  ['unlock', 'writer'],
  ['delete', 'writer'],
  ['restore', 'writer'],
  ['force-unlock', 'operator'],
  ['purge', 'admin'],
  ['read-audit', 'admin'],
  ['manage', 'admin'],
];

function at(text: string): Address {
  const address = parseAddress(text);
  if (!isAddress(address)) throw new Error(address.problem);
  return address;
}

function allows(pattern: string, text: string): boolean {
  return mayActOn([{ role: 'reader', pattern }], 'read', at(text));
}

describe('a role', () => {
  it.each(ACTIONS)('may %s from %s upwards', (action, least) => {
    const may = ROLES.filter((role) => mayActOn([{ role, pattern: '*' }], action, at('acme/key')));
    expect(may).toEqual(ROLES.slice(ROLES.indexOf(least)));
  });

  it('is one of five', () => {
    expect(ROLES.every(isRole)).toBe(true);
    expect(isRole('root')).toBe(false);
  });
});

describe('a grant', () => {
  it.each([
    ['*', 'acme/net/key@dev', true],
    ['*@*', 'acme/net/key@dev', true],
    ['acme/*', 'acme/net/key@dev', true],
    ['acme/*', 'acmeother/key', false],
    ['acme/net/*@*', 'acme/net/key', true],
    ['acme/net/*@*', 'acme/network', false],
    ['acme/*@dev', 'acme/net/key@dev', true],
    ['acme/*@dev', 'acme/net/key@dev2', false],
    ['acme/*@dev', 'acme/net/key', false],
    ['acme/*@default', 'acme/net/key', true],
    ['acme/key@dev*', 'acme/key@dev-7', true],
    ['acme/key', 'acme/key@prod', true],
    ['acme/key', 'acme/key2', false],
    ['acme/*/prod/*', 'acme/a/prod/b', true],
    ['acme/*/prod/*', 'acme/a/prods/b', false],
    ['*/key', 'acme/key', true],
    // An "@" in a key is no beginning of a workspace.
    ['acme/app@dev*', 'acme/app@devious@default', false],
    ['acme/app@dev*', 'acme/app@dev', true],
    ['acme/a@b/*', 'acme/a@b/c@dev', true],
    ['acme/k@a@b', 'acme/k@a@b', true],
    ['acme/k@a@b', 'acme/k@a%40b', false],
    ['acme/k@a%40b', 'acme/k@a%40b', true],
  ])('on %s covers %s: %s', (pattern, text, covered) => {
    expect(allows(pattern, text)).toBe(covered);
  });

  it('is any one of many', () => {
    const grants: Grant[] = [
      { role: 'reader', pattern: 'acme/*' },
      { role: 'writer', pattern: 'acme/net/*' },
    ];
    expect(mayActOn(grants, 'write', at('acme/net/key'))).toBe(true);
    expect(mayActOn(grants, 'write', at('acme/db/key'))).toBe(false);
    expect(mayActOn([], 'read', at('acme/key'))).toBe(false);
  });

  const unit = fc.constantFrom(...'ab*/@.');
  const piece = fc.string({ unit: fc.constantFrom(...'ab@'), minLength: 1, maxLength: 4 });
  const addresses = fc.record({
    project: fc.string({ unit: fc.constantFrom(...'ab'), minLength: 1, maxLength: 3 }),
    key: fc.array(piece, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/')),
    workspace: piece,
  });

  it('covers what its pattern, read as a regular expression, covers', () => {
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 12 }), addresses, (pattern, address) => {
        expect(mayActOn([{ role: 'reader', pattern }], 'read', address)).toBe(oracle(pattern, address));
      }),
      { numRuns: 10_000 },
    );
  });

  it('is within another only if that one covers all that it covers', () => {
    const pattern = fc.oneof(
      fc.constantFrom('*', '*@*'),
      fc
        .tuple(
          fc.string({ unit: fc.constantFrom(...'ab*'), minLength: 1, maxLength: 3 }),
          fc.string({ unit, minLength: 1, maxLength: 6 }),
        )
        .map((parts) => parts.join('/')),
    );
    fc.assert(
      fc.property(pattern, pattern, addresses, (inner, outer, address) => {
        const [narrow, wide]: Grant[][] = [
          [{ role: 'reader', pattern: inner }],
          [{ role: 'writer', pattern: outer }],
        ];
        expect(areWithin([{ role: 'reader', pattern: inner }], narrow ?? [])).toBe(true);
        if (!areWithin(narrow ?? [], wide ?? [])) return;
        if (mayActOn(narrow ?? [], 'read', address)) expect(mayActOn(wide ?? [], 'read', address)).toBe(true);
        if (mayActOnHouse(narrow ?? [], 'read')) expect(mayActOnHouse(wide ?? [], 'read')).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each<[string, string, boolean]>([
    ['acme/net/*', 'acme/*', true],
    ['acme/net/*@dev', 'acme/net/*', true],
    ['acme/net/*', 'acme/net/*@dev', false],
    ['acme/*', 'acme/net/*', false],
    ['*', 'acme/*', false],
    ['*', '*/*', false],
    ['*/*', '*', true],
  ])('on %s is within one on %s: %s', (inner, outer, expected) => {
    const within = (role: Role): boolean =>
      areWithin([{ role: 'writer', pattern: inner }], [{ role, pattern: outer }]);
    expect(within('writer')).toBe(expected);
    expect(within('reader')).toBe(false);
  });

  it('on an address of a project counts in that project', () => {
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 12 }), addresses, (pattern, address) => {
        const grants: Grant[] = [{ role: 'reader', pattern }];
        if (!mayActOn(grants, 'read', address)) return;
        expect(mayActInProject(grants, 'read', address.project)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('on an address is within its reach: the project by its name or beginning, the key by its beginning', () => {
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 12 }), addresses, (pattern, address) => {
        const grants: Grant[] = [{ role: 'reader', pattern }];
        const { project, key } = address;
        if (!mayActOn(grants, 'read', address)) return;
        const { names, prefixes } = projectsInReach(grants, 'read');
        const isInReach = names.includes(project) || prefixes.some((prefix) => project.startsWith(prefix));
        expect(isInReach).toBe(true);
        const begins = keyPrefixesIn(grants, 'read', project).some((prefix) => key.startsWith(prefix));
        expect(begins).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('that leaves the project open tells of it where it covers all of it, and nowhere else', () => {
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 12 }), addresses, (pattern, address) => {
        const grants: Grant[] = [{ role: 'reader', pattern }];
        const isOpen = projectsInReach(grants, 'read').prefixes.length > 0;
        if (!isOpen || !knowsProject(grants, 'read', address.project)) return;
        expect(mayActOn(grants, 'read', address)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
    const knows = (pattern: string): boolean => knowsProject([{ role: 'reader', pattern }], 'read', 'acme');
    for (const pattern of ['*', '*@*', '*/*', 'ac*/*@*', 'acme/*', 'acme/net@dev', 'acme/a*']) {
      expect([pattern, knows(pattern)]).toEqual([pattern, true]);
    }
    for (const pattern of ['*/net', '*/*@dev', '*@dev', 'ac*/net*', 'b*/*', 'acm/*', '*/net@*', '*x']) {
      expect([pattern, knows(pattern)]).toEqual([pattern, false]);
    }
    expect(knowsProject([{ role: 'outputs', pattern: 'acme/*' }], 'read', 'acme')).toBe(false);
  });

  it('on one project does not count in another', () => {
    const grants: Grant[] = [{ role: 'reader', pattern: 'acme/*@*' }];
    expect(mayActInProject(grants, 'read', 'acme')).toBe(true);
    expect(mayActInProject(grants, 'read', 'acme2')).toBe(false);
    expect(mayActInProject(grants, 'write', 'acme')).toBe(false);
    expect(mayActInProject([{ role: 'reader', pattern: 'ac*/key' }], 'read', 'acme')).toBe(true);
    expect(mayActInProject([{ role: 'reader', pattern: 'ac*/key' }], 'read', 'zone')).toBe(false);
  });

  it('on everything is one on the house', () => {
    for (const pattern of ['*', '*@*']) {
      expect(mayActOnHouse([{ role: 'admin', pattern }], 'manage')).toBe(true);
      expect(mayActOnHouse([{ role: 'operator', pattern }], 'manage')).toBe(false);
    }
    expect(mayActOnHouse([{ role: 'admin', pattern: 'acme/*' }], 'manage')).toBe(false);
  });

  it('with a hostile pattern is matched in no time', () => {
    const grants: Grant[] = [{ role: 'reader', pattern: `acme/${'*a'.repeat(500)}b` }];
    const started = process.cpuUsage();
    expect(mayActOn(grants, 'read', { project: 'acme', key: 'a'.repeat(900), workspace: 'default' })).toBe(
      false,
    );
    expect(process.cpuUsage(started).user).toBeLessThan(500_000);
  });
});

describe('a pattern', () => {
  it.each(['*', '*@*', 'acme/*', 'acme/net/*@dev', '*/key'])('may be %s', (pattern) => {
    expect(patternProblem(pattern)).toBeNull();
  });

  it.each(['', 'acme', 'acme@dev', `acme/${'x'.repeat(1_100)}`])('may not be %j', (pattern) => {
    expect(patternProblem(pattern)).not.toBeNull();
  });
});

describe('an expiry', () => {
  it('is the first moment at which a credential is of no use', () => {
    expect([isExpired(null, 5), isExpired(5, 4), isExpired(5, 5), isExpired(5, 6)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

/** Another way to say what a pattern covers: its two sides as regular expressions. */
function oracle(pattern: string, { project, key, workspace }: Address): boolean {
  const [, path = '', wanted = '*'] = /^([^]*?)(?:@([^@/]*))?$/.exec(pattern) ?? [];
  const like = (glob: string): RegExp =>
    new RegExp(`^${glob.replaceAll('.', String.raw`\.`).replaceAll('*', '[^]*')}$`);
  return like(path).test(`${project}/${key}`) && like(wanted).test(workspace.replaceAll('@', '%40'));
}
