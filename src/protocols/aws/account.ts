/** The account that everything here belongs to, where AWS's names of resources want one. */
export const ACCOUNT_ID = '000000000000';
