import { listed, type CatalogueEntry } from './entry.ts';

/** The commands about who may do what on a server, who did, and who is told. */
export const ACCESS_COMMANDS: readonly CatalogueEntry[] = listed('access', [
  {
    name: 'credential create',
    summary: 'create a credential',
    load: () => import('../commands/credential-create.ts'),
  },
  {
    name: 'credential list',
    summary: 'list credentials',
    load: () => import('../commands/credential-list.ts'),
  },
  {
    name: 'credential change',
    summary: 'change what a credential may do, or until when',
    load: () => import('../commands/credential-change.ts'),
  },
  {
    name: 'credential revoke',
    summary: 'revoke a credential',
    load: () => import('../commands/credential-revoke.ts'),
  },
  {
    name: 'project show',
    summary: 'show what a project keeps and may keep',
    load: () => import('../commands/project-show.ts'),
  },
  {
    name: 'project set',
    summary: 'set how much a project keeps and may keep',
    load: () => import('../commands/project-set.ts'),
  },
  {
    name: 'announce',
    summary: 'allow an apply to create a state, where a project wants that announced',
    load: () => import('../commands/announce.ts'),
  },
  {
    name: 'audit',
    summary: 'read the audit log',
    load: () => import('../commands/audit.ts'),
  },
  {
    name: 'audit head',
    summary: 'show where the audit log ends',
    load: () => import('../commands/audit-head.ts'),
  },
  {
    name: 'audit verify',
    summary: 'check that nothing but a server changed the data',
    load: () => import('../commands/audit-verify.ts'),
  },
  {
    name: 'webhook add',
    summary: 'have the server tell a URL of what needs a look',
    load: () => import('../commands/webhook-add.ts'),
  },
  {
    name: 'webhook list',
    summary: 'list the webhooks',
    load: () => import('../commands/webhook-list.ts'),
  },
  {
    name: 'webhook test',
    summary: 'send a message to a webhook',
    load: () => import('../commands/webhook-test.ts'),
  },
  {
    name: 'webhook remove',
    summary: 'remove a webhook',
    load: () => import('../commands/webhook-remove.ts'),
  },
]);
