import type { BackendEntry } from '../../backend.ts';

export const PG: BackendEntry = {
  name: 'pg',
  secrets: [{ name: 'conn_str', pattern: /:[^/@]+@|password=/ }],
  open: async ({ attributes, env }) => {
    const [{ PgClient }, { readPgConfig }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new PgClient(readPgConfig(attributes, env));
  },
  snippet: null,
};
