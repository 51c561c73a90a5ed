import type { DoorEntry } from '../../door.ts';
import { API_PREFIX } from '../layout.ts';

export const CONSUL: DoorEntry = {
  name: 'consul',
  listed: { at: API_PREFIX, what: 'backend "consul", by its address' },
  load: () => import('./door.ts'),
  open: async ({ house, now, closing }) =>
    new (await import('./door.ts')).ConsulDoor(house, { now, closing }),
};
