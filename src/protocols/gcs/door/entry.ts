import type { DoorEntry } from '../../door.ts';
import { JSON_PREFIX } from '../layout.ts';

export const GCS: DoorEntry = {
  name: 'gcs',
  listed: { at: JSON_PREFIX, what: 'backend "gcs", by its storage_custom_endpoint' },
  load: () => import('./door.ts'),
  open: async ({ house, lockObjects }) =>
    new (await import('./door.ts')).GcsDoor(house, { locks: lockObjects }),
};
