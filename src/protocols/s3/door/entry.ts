import type { DoorEntry } from '../../door.ts';

export const S3: DoorEntry = {
  name: 's3',
  listed: {
    at: 'any path, signed as AWS signs',
    what: 'backend "s3", with lock files or with DynamoDB',
  },
  load: () => import('./door.ts'),
  open: async ({ house, lockObjects, now, domain, s3 }) =>
    new (await import('./door.ts')).S3Door(house, { locks: lockObjects, now, domain, settings: s3 }),
};
