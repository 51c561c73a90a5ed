import type { DoorEntry } from '../../door.ts';

/** What the s3 backend asks beside its states. */
export const STS: DoorEntry = {
  name: 'sts',
  listed: null,
  load: () => import('./door.ts'),
  open: async ({ house, now, s3 }) => new (await import('./door.ts')).StsDoor(house, { now, settings: s3 }),
};
