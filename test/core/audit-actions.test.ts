import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAuditAction } from '../../src/core/audit-actions.ts';
import { WATCHED } from '../../src/house/watches.ts';

const SOURCE = new URL('../../src/', import.meta.url).pathname;
/** Where a note is made, its action comes first among the texts. */
const NOTES = /(?<!#)\b(?:note|looked|noteBy|noteOf)\((?:[\w.{} ,]+), '([a-z-]+)'/g;

describe('the actions of the audit log', () => {
  it('are all in the table by which they are asked for', () => {
    const watched = Object.values(WATCHED).flatMap((part) =>
      Object.values(part as Record<string, { action: string }>).map(({ action }) => action),
    );
    const noted = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
      .filter((path) => /^(?:core|house|server)\/.*\.ts$/.test(path))
      .flatMap((path) => [...readFileSync(join(SOURCE, path), 'utf8').matchAll(NOTES)])
      .map(([, action = '']) => action);
    expect(noted).toEqual(expect.arrayContaining(['lock', 'prune-audit', 'upload-expire', 'backup']));
    expect([...watched, ...noted].filter((action) => readAuditAction(action) !== action)).toEqual([]);
  });

  it('are told to who asks for another', () => {
    expect(readAuditAction('writes')).toEqual({
      problem: expect.stringMatching(
        /^unknown action "writes": expected one of .*unlock.*, write, write-kept$/,
      ),
    });
  });
});
