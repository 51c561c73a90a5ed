/** What can be asked of an address, or of the house as a whole. `read-history` is of old versions, as against the newest. */
export const ACTIONS = [
  'read-outputs',
  'read',
  'read-history',
  'list',
  'write',
  'lock',
  'unlock',
  'delete',
  'restore',
  'force-unlock',
  'purge',
  'read-audit',
  'manage',
] as const;
export type Action = (typeof ACTIONS)[number];
