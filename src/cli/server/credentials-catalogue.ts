import type { CatalogueEntry } from '../catalogue-entry.ts';

/** The commands about credentials. */
export const CREDENTIAL_COMMANDS: readonly CatalogueEntry[] = [
  {
    name: 'credential create',
    section: 'server',
    summary: 'create a credential',
    load: () => import('../commands/credential-create.ts'),
  },
  {
    name: 'credential list',
    section: 'server',
    summary: 'list credentials',
    load: () => import('../commands/credential-list.ts'),
  },
  {
    name: 'credential change',
    section: 'server',
    summary: 'change what a credential may do, or until when',
    load: () => import('../commands/credential-change.ts'),
  },
  {
    name: 'credential revoke',
    section: 'server',
    summary: 'revoke a credential',
    load: () => import('../commands/credential-revoke.ts'),
  },
];
