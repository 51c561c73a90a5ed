import { z } from 'zod';
import { PAGE_MAX } from '../../api/operations.ts';
import { isAddress, parseAddress, projectProblem, type Address } from '../../core/address.ts';
import { readAuditAction } from '../../core/audit-actions.ts';
import type { Instant } from '../../core/instant.ts';
import { isProblem } from '../../core/read-value.ts';
import { readAddressCursor, readNumberCursor } from './cursor.ts';

const PAGE_DEFAULT = 100;
/** No name of anything is longer. */
const TEXT_LENGTH_MAX = 1_200;

/** `address=project/key@workspace`: what a state is known by in every query. */
export const ADDRESS: z.ZodType<Address, string> = z
  .string()
  .transform((text, context): Address => {
    const address = parseAddress(text);
    if (isAddress(address)) return address;
    context.addIssue({ code: 'custom', message: address.problem });
    return z.NEVER;
  })
  .describe('`project/key` or `project/key@workspace`.');

export const LIMIT: z.ZodDefault<z.ZodType<number, number>> = z.coerce
  .number<number>()
  .int()
  .min(1)
  .max(PAGE_MAX)
  .default(PAGE_DEFAULT)
  .describe('The most items on a page.');

/** A version's number. */
export const VERSION_NUMBER: z.ZodType<number, number> = z.coerce.number<number>().int().min(1);

export const ADDRESS_CURSOR: z.ZodOptional<z.ZodType<Address, string>> = cursor(readAddressCursor);
export const NUMBER_CURSOR: z.ZodOptional<z.ZodType<number, string>> = cursor(readNumberCursor);

export const PROJECT: z.ZodType<string, string> = z.string().superRefine((text, context) => {
  const problem = projectProblem(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

export const SEARCH: z.ZodType<string, string> = z
  .string()
  .min(1)
  .max(TEXT_LENGTH_MAX)
  .describe('Only addresses that contain this text.');

export const WORD: z.ZodType<string, string> = z.string().min(1).max(TEXT_LENGTH_MAX);

/** An action of the audit log. */
export const AUDIT_ACTION: z.ZodType<string, string> = WORD.superRefine((text, context) => {
  const action = readAuditAction(text);
  if (isProblem(action)) context.addIssue({ code: 'custom', message: action.problem });
});

/** A moment with its zone. */
export const MOMENT: z.ZodType<Instant, string> = z.iso
  .datetime({ offset: true, error: 'invalid time: expected for example 2026-01-31T12:00:00Z' })
  .transform((text) => Date.parse(text));

/** `true` or `false`: a boolean in `src/api`, a text in the query. */
export const FLAG: z.ZodType<boolean, boolean> = z.stringbool({
  truthy: ['true'],
  falsy: ['false'],
  case: 'sensitive',
}) as z.ZodType<boolean, unknown> as z.ZodType<boolean, boolean>;

function cursor<T>(read: (cursor: string) => T | null): z.ZodOptional<z.ZodType<T, string>> {
  return z
    .string()
    .max(4 * TEXT_LENGTH_MAX)
    .transform((text, context): T => {
      const value = read(text);
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: 'invalid cursor: expected the "next" of the page before' });
      return z.NEVER;
    })
    .optional()
    .describe('The `next` of the page before.');
}

type Given<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same without the members that are not there. */
export function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}
