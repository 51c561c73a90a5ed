const DAY_MS = 24 * 60 * 60 * 1_000;

/** When a credential can be made to end. */
export const ENDS: readonly (readonly [days: number, says: string])[] = [
  [30, 'in 30 days'],
  [90, 'in 90 days'],
  [365, 'in a year'],
  [0, 'never'],
];

/** As the API takes it. @param days 0 for never */
export function endIn(days: number): string | null {
  return days === 0 ? null : new Date(Date.now() + days * DAY_MS).toISOString();
}
