import type { DoorEntry } from '../../door.ts';
import { PATH_PREFIX } from '../layout.ts';

export const HTTP: DoorEntry = {
  name: 'http',
  listed: { at: `${PATH_PREFIX}PROJECT/KEY?workspace=NAME`, what: 'backend "http"' },
  load: () => import('./door.ts'),
  open: async ({ house }) => new (await import('./door.ts')).HttpDoor(house),
};
