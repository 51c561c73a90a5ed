import type { DoorEntry } from '../../door.ts';
import { API_PREFIX, DISCOVERY_PATH } from '../layout.ts';

export const HCP: DoorEntry = {
  name: 'hcp',
  listed: {
    at: `${DISCOVERY_PATH}, ${API_PREFIX}`,
    what: 'the "cloud" block and backend "remote", by their hostname',
  },
  load: () => import('./door.ts'),
  open: async (parts) => new (await import('./door.ts')).HcpDoor(parts),
};
