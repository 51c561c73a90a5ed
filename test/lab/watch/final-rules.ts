import type { Usage } from '../../../src/core/quota.ts';
import type { Version } from '../../../src/core/world.ts';
import type { AuditRecord } from '../../../src/ports/engine.ts';

/** What is stored of the one address when everything has come to its end, and nobody holds its lock. */
export interface Remains {
  readonly versions: readonly Version[];
  readonly audit: readonly AuditRecord[];
  readonly usage: Usage;
  /** The fence of the newest grant: every smaller one from 1 up was granted as well. */
  readonly fence: number;
}

interface Broken {
  readonly rule: string;
  readonly what: string;
}

const GRANT = ['lock'];
const ENDS = ['unlock', 'force-unlock', 'lock-taken-back', 'lock-ended'];

/** What must hold in the end of what was written down along the way. */
export function brokenInTheEnd({ versions, audit, usage, fence }: Remains): Broken | null {
  const done = audit.filter(({ note }) => note.refused === undefined);
  const numbersOf = (actions: readonly string[], fact: string): readonly number[] =>
    done
      .filter(({ note }) => actions.includes(note.action))
      .map(({ note }) => Number(note.detail[fact]))
      .sort((a, b) => a - b);
  const fences = Array.from({ length: fence }, (_, index) => index + 1).join(' ');
  const numbers = versions.map(({ number }) => number).sort((a, b) => a - b);
  const bytes = versions.reduce((sum, { size }) => sum + size, 0);
  return (
    unequal(
      'every write is in the audit log once',
      numbersOf(['write'], 'version').join(' '),
      numbers.join(' '),
    ) ??
    unequal('every grant is in the audit log once', numbersOf(GRANT, 'fence').join(' '), fences) ??
    unequal('every end of a hold is in the audit log once', numbersOf(ENDS, 'fence').join(' '), fences) ??
    unequal(
      'a quota counts what is stored',
      `${usage.states} ${usage.versions} ${usage.bytes}`,
      `${versions.length > 0 ? 1 : 0} ${versions.length} ${bytes}`,
    )
  );
}

function unequal(rule: string, found: string, expected: string): Broken | null {
  return found === expected ? null : { rule, what: `${found} in place of ${expected}` };
}
