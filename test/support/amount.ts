/** How much of something a test tries. */
export interface Amounts {
  /** In every run of the tests. */
  readonly few: number;
  /** In the long run: `npm run test:long`. */
  readonly many: number;
}

/** Whether this is the long run: `npm run test:long`. */
export const isLongRun: boolean = process.env['STATEHOUSE_TEST_LONG'] === '1';

/** @param variable of the environment: where it is set, it says how many, whichever run this is */
export function amountOf(variable: string, { few, many }: Amounts): number {
  const asked = process.env[variable];
  if (asked !== undefined) return Number(asked);
  return isLongRun ? many : few;
}
