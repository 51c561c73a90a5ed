import type { Address } from '../core/address.ts';
import type { AuditNote } from '../core/effect.ts';
import type { Audit } from './audit.ts';
import type { Caller } from './caller.ts';

/** What the audit log calls what a method does, and whether it is noted here although it was done: what only looks. */
export interface Watch {
  readonly action: string;
  /** Default false: what it does is noted where it is done. */
  readonly looks?: boolean;
  /** What it is asked first is the action itself. Default false. */
  readonly asks?: boolean;
}

type Method = (caller: Caller, ...rest: readonly unknown[]) => unknown;

/** The methods of a part that a caller may be refused. */
export type Watches<T> = {
  readonly [K in keyof T as T[K] extends (caller: Caller, ...rest: never[]) => unknown ? K : never]?: Watch;
};

/** The answers that are refusals. What is only not there, or is asked for too often, is none. */
const REFUSALS: ReadonlySet<string> = new Set([
  'forbidden',
  'expired',
  'revoked',
  'held',
  'released-before',
  'not-holder',
  'may-not-break',
  'too-young',
  'fenced',
  'shared-hold',
  'stale',
  'frozen',
  'over-quota',
  'unannounced',
  'retained',
  'retentions-full',
  'exists',
  'invalid',
  'not-a-state',
  'damaged',
  'too-large',
  'no-role',
]);

const TEXT_LENGTH_MAX = 200;

/**
 * A part of the house as doors see it: whatever it refuses a caller is noted, here and nowhere else, and so is who looked.
 * The parts of the house ask each other directly.
 */
export function watched<T extends object>(part: T, audit: Audit, watches: Watches<T>): T {
  const methods = new Map<PropertyKey, unknown>();
  for (const [name, watch] of Object.entries<Watch>(watches as Record<string, Watch>)) {
    const method = (Reflect.get(part, name) as Method).bind(part);
    methods.set(name, (caller: Caller, ...rest: readonly unknown[]) => {
      audit.admit();
      const answer = method(caller, ...rest);
      if (!(answer instanceof Promise)) return noted(audit, watch, caller, rest, answer);
      return answer.then(async (settled: unknown) => {
        noted(audit, watch, caller, rest, settled);
        await audit.accepted();
        return settled;
      });
    });
  }
  return new Proxy(part, {
    get(target, name) {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const bound: unknown = value.bind(target);
      methods.set(name, bound);
      return bound;
    },
  });
}

function noted<A>(
  audit: Audit,
  { action: named, looks = false, asks = false }: Watch,
  caller: Caller,
  given: readonly unknown[],
  answer: A,
): A {
  const [first, ...others] = given;
  const [action, asked] = asks && typeof first === 'string' ? [first, others] : [named, given];
  const type = typeOf(answer);
  const address = addressIn(asked);
  if (type !== null && REFUSALS.has(type)) {
    const project = address === null ? projectIn(asked) : {};
    audit.refused(caller, action, address, type, { ...project, ...detailOf(asked, answer) });
  } else if (looks && type !== 'absent') {
    audit.looked(caller, action, address, projectIn(asked));
  }
  return answer;
}

function typeOf(answer: unknown): string | null {
  return hasText(answer, 'type') ? answer.type : null;
}

/** The address that is asked about: given by itself, or in what is asked. */
function addressIn(asked: readonly unknown[]): Address | null {
  for (const given of asked) {
    if (isAddress(given)) return given;
    if (typeof given === 'object' && given !== null && 'address' in given && isAddress(given.address)) {
      return given.address;
    }
  }
  return null;
}

function isAddress(value: unknown): value is Address {
  return hasText(value, 'project') && hasText(value, 'key') && hasText(value, 'workspace');
}

function projectIn(asked: readonly unknown[]): AuditNote['detail'] {
  const named = asked.find((given) => typeof given === 'string');
  const query = asked.find((given) => hasText(given, 'project') && !isAddress(given));
  const project = named ?? (hasText(query, 'project') ? query.project : undefined);
  return typeof project === 'string' ? { project: brief(project) } : {};
}

/** What makes a refusal understood: the lock that was named, or why a write would lose a change. */
function detailOf(asked: readonly unknown[], answer: unknown): AuditNote['detail'] {
  const naming = asked.find((given) => hasText(given, 'lockId'));
  return {
    ...(hasText(naming, 'lockId') ? { lock: brief(naming.lockId) } : {}),
    ...(hasText(answer, 'measure') ? { quota: brief(answer.measure) } : {}),
    ...(hasText(answer, 'reason') ? { reason: brief(answer.reason) } : {}),
  };
}

function hasText<K extends string>(value: unknown, key: K): value is Readonly<Record<K, string>> {
  if (typeof value !== 'object' || value === null) return false;
  return typeof Reflect.get(value, key) === 'string';
}

function brief(text: string): string {
  return text.slice(0, TEXT_LENGTH_MAX);
}
