/** A credential's id and secret. */
export interface Pair {
  readonly id: string;
  readonly secret: string;
}

/** The admin of every house that tests start. */
export const TEST_ADMIN: Pair = { id: 'SHTESTADMIN23456', secret: 'testsecrettestsecrettestsecret012345' };
