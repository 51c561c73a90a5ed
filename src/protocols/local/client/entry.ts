import type { BackendEntry } from '../../backend.ts';

export const LOCAL: BackendEntry = {
  name: 'local',
  secrets: [],
  open: async ({ attributes, folder }) => {
    const [{ LocalClient }, { readLocalConfig }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new LocalClient(readLocalConfig(attributes, folder));
  },
  snippet: null,
};
