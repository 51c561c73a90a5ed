import type { DoorEntry } from '../../door.ts';

/** The lock table of the s3 backend, which has the line and the block. */
export const DYNAMODB: DoorEntry = {
  name: 'dynamodb',
  listed: null,
  load: () => import('./door.ts'),
  open: async ({ house, lockObjects, now, s3: { account } }) =>
    new (await import('./door.ts')).DynamoDbDoor(house, { locks: lockObjects, now, account }),
};
