/** The account that everything here belongs to, where AWS's names of resources want one and the server was told none. */
export const DEFAULT_ACCOUNT = '000000000000';
/** The number of an account. */
export const ACCOUNT: RegExp = /^\d{12}$/;
