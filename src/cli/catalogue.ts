import type { Command } from './command.ts';

/** Where a command stands in the help. */
export type Section = 'state' | 'folder' | 'server' | 'self';

export const SECTIONS: readonly (readonly [Section, string])[] = [
  ['state', 'A state, by its address on a server or by its Terraform folder; also said "statehouse state …"'],
  ['folder', 'In a Terraform folder, on whatever backend it has'],
  ['server', 'The server'],
  ['self', 'The command itself'],
];

/** One line of the catalogue: enough to list a command without loading it. */
export interface CatalogueEntry {
  /** One word, or a group and a word: `workspace list`. */
  readonly name: string;
  readonly section: Section;
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Every command, in the order of the help. Its file is imported only when it runs or its own help is asked for. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    name: 'history',
    section: 'state',
    summary: 'list the versions',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'diff',
    section: 'state',
    summary: 'compare two versions, workspaces or files',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'pull',
    section: 'state',
    summary: 'print the state, byte for byte',
    load: () => import('./commands/pull.ts'),
  },
  {
    name: 'push',
    section: 'state',
    summary: 'write a state, under the lock',
    load: () => import('./commands/push.ts'),
  },
  {
    name: 'list',
    section: 'state',
    summary: 'list resource instances',
    load: () => import('./commands/list.ts'),
  },
  {
    name: 'show',
    section: 'state',
    summary: 'show the attributes of a resource instance',
    load: () => import('./commands/show.ts'),
  },
  {
    name: 'outputs',
    section: 'state',
    summary: 'show outputs',
    load: () => import('./commands/outputs.ts'),
  },
  {
    name: 'restore',
    section: 'state',
    summary: 'make an old version the newest one',
    load: () => import('./commands/restore.ts'),
  },
  {
    name: 'delete',
    section: 'state',
    summary: 'delete the state; a server keeps its versions',
    load: () => import('./commands/delete.ts'),
  },
  {
    name: 'undelete',
    section: 'state',
    summary: 'bring a deleted state back, on a server',
    load: () => import('./commands/undelete.ts'),
  },
  {
    name: 'purge',
    section: 'state',
    summary: 'remove a deleted state and all its versions, on a server',
    load: () => import('./commands/purge.ts'),
  },
  {
    name: 'retention',
    section: 'state',
    summary: 'show or set how much history a project keeps, on a server',
    load: () => import('./commands/retention.ts'),
  },
  {
    name: 'status',
    section: 'folder',
    summary: 'show where the state is, what is in it, and who holds its lock',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'lock',
    section: 'folder',
    summary: 'take the lock that terraform respects',
    load: () => import('./commands/lock.ts'),
  },
  {
    name: 'unlock',
    section: 'folder',
    summary: 'release the lock that "statehouse lock" took',
    load: () => import('./commands/unlock.ts'),
  },
  {
    name: 'force-unlock',
    section: 'folder',
    summary: 'break a lock that was left behind, in a folder or on a server',
    load: () => import('./commands/force-unlock.ts'),
  },
  {
    name: 'exec',
    section: 'folder',
    summary: 'run a command while holding the lock',
    load: () => import('./commands/exec.ts'),
  },
  {
    name: 'rescue',
    section: 'folder',
    summary: 'merge a state that was refused into the newest one',
    load: () => import('./commands/rescue.ts'),
  },
  {
    name: 'workspace list',
    section: 'folder',
    summary: 'list the workspaces',
    load: () => import('./commands/workspace-list.ts'),
  },
  {
    name: 'workspace new',
    section: 'folder',
    summary: 'create a workspace',
    load: () => import('./commands/workspace-new.ts'),
  },
  {
    name: 'workspace select',
    section: 'folder',
    summary: 'select the workspace of this folder',
    load: () => import('./commands/workspace-select.ts'),
  },
  {
    name: 'workspace show',
    section: 'folder',
    summary: 'print the selected workspace',
    load: () => import('./commands/workspace-show.ts'),
  },
  {
    name: 'workspace delete',
    section: 'folder',
    summary: 'delete a workspace and its state',
    load: () => import('./commands/workspace-delete.ts'),
  },
  {
    name: 'migrate',
    section: 'folder',
    summary: 'copy all workspaces to another backend',
    load: () => import('./commands/migrate.ts'),
  },
  {
    name: 'doctor',
    section: 'folder',
    summary: 'test that the lock excludes, and report problems',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'serve',
    section: 'server',
    summary: 'run the state server',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'demo',
    section: 'server',
    summary: 'show two concurrent applies on one state, without a lost change',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'config',
    section: 'server',
    summary: 'print the backend block and the environment for a state',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'open',
    section: 'server',
    summary: 'open the page of a server, or of a state on it',
    load: () => import('./commands/open.ts'),
  },
  {
    name: 'states',
    section: 'server',
    summary: 'list the states on a server',
    load: () => import('./commands/states.ts'),
  },
  {
    name: 'locks',
    section: 'server',
    summary: 'show who holds locks and who waits',
    load: () => import('./commands/locks.ts'),
  },
  {
    name: 'freeze',
    section: 'server',
    summary: 'refuse applies for a time, while plans go on',
    load: () => import('./commands/freeze.ts'),
  },
  {
    name: 'unfreeze',
    section: 'server',
    summary: 'end a freeze before its time',
    load: () => import('./commands/unfreeze.ts'),
  },
  {
    name: 'run plan',
    section: 'folder',
    summary: 'have the server plan this folder',
    load: () => import('./commands/run-plan.ts'),
  },
  {
    name: 'run apply',
    section: 'folder',
    summary: 'have the server plan and apply this folder',
    load: () => import('./commands/run-apply.ts'),
  },
  {
    name: 'run list',
    section: 'server',
    summary: 'list the plans and applies that the server executes',
    load: () => import('./commands/run-list.ts'),
  },
  {
    name: 'run logs',
    section: 'server',
    summary: 'show the log of a run',
    load: () => import('./commands/run-logs.ts'),
  },
  {
    name: 'run confirm',
    section: 'server',
    summary: 'have a planned run applied',
    load: () => import('./commands/run-confirm.ts'),
  },
  {
    name: 'run discard',
    section: 'server',
    summary: 'give up a run that waits',
    load: () => import('./commands/run-discard.ts'),
  },
  {
    name: 'run cancel',
    section: 'server',
    summary: 'end a run',
    load: () => import('./commands/run-cancel.ts'),
  },
  {
    name: 'project show',
    section: 'server',
    summary: 'show what a project keeps and may keep',
    load: () => import('./commands/project-show.ts'),
  },
  {
    name: 'project set',
    section: 'server',
    summary: 'set how much a project keeps and may keep',
    load: () => import('./commands/project-set.ts'),
  },
  {
    name: 'audit',
    section: 'server',
    summary: 'read the audit log',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'audit head',
    section: 'server',
    summary: 'show where the audit log ends',
    load: () => import('./commands/audit-head.ts'),
  },
  {
    name: 'audit verify',
    section: 'server',
    summary: 'check that nothing but a server changed the data',
    load: () => import('./commands/audit-verify.ts'),
  },
  {
    name: 'credential create',
    section: 'server',
    summary: 'create a credential',
    load: () => import('./commands/credential-create.ts'),
  },
  {
    name: 'credential list',
    section: 'server',
    summary: 'list credentials',
    load: () => import('./commands/credential-list.ts'),
  },
  {
    name: 'credential revoke',
    section: 'server',
    summary: 'revoke a credential',
    load: () => import('./commands/credential-revoke.ts'),
  },
  {
    name: 'announce',
    section: 'server',
    summary: 'allow an apply to create a state, where a project wants that announced',
    load: () => import('./commands/announce.ts'),
  },
  {
    name: 'webhook add',
    section: 'server',
    summary: 'have the server tell a URL of what needs a look',
    load: () => import('./commands/webhook-add.ts'),
  },
  {
    name: 'webhook list',
    section: 'server',
    summary: 'list the webhooks',
    load: () => import('./commands/webhook-list.ts'),
  },
  {
    name: 'webhook test',
    section: 'server',
    summary: 'send a message to a webhook',
    load: () => import('./commands/webhook-test.ts'),
  },
  {
    name: 'webhook remove',
    section: 'server',
    summary: 'remove a webhook',
    load: () => import('./commands/webhook-remove.ts'),
  },
  {
    name: 'backup',
    section: 'server',
    summary: 'write all data into one file',
    load: () => import('./commands/backup.ts'),
  },
  {
    name: 'check',
    section: 'server',
    summary: 'look at every page of the database',
    load: () => import('./commands/check.ts'),
  },
  {
    name: 'restore-backup',
    section: 'server',
    summary: 'create a data directory from a backup',
    load: () => import('./commands/restore-backup.ts'),
  },
  {
    name: 'rotate-key',
    section: 'server',
    summary: 'change the master key',
    load: () => import('./commands/rotate-key.ts'),
  },
  {
    name: 'reindex',
    section: 'server',
    summary: 'make the index anew by which states are found',
    load: () => import('./commands/reindex.ts'),
  },
  {
    name: 'decrypt',
    section: 'server',
    summary: 'read a state while the server is down',
    load: () => import('./commands/decrypt.ts'),
  },
  {
    name: 'migrate-engine',
    section: 'server',
    summary: 'move all data from a data directory to PostgreSQL, or back',
    load: () => import('./commands/migrate-engine.ts'),
  },
  {
    name: 'completion',
    section: 'self',
    summary: 'print a completion script for your shell',
    load: () => import('./commands/completion.ts'),
  },
];
