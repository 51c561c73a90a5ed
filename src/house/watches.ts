import type { Audit } from './audit.ts';
import type { Explorer } from './explorer/explorer.ts';
import type { Graph } from './explorer/graph.ts';
import type { FirstWrites } from './first-writes.ts';
import type { Freezes } from './freezes.ts';
import type { Credentials } from './identity/credentials.ts';
import type { PageSessions } from './identity/page-sessions.ts';
import type { RightsView } from './identity/rights.ts';
import type { Sessions } from './identity/sessions.ts';
import type { Locks } from './locks/locks.ts';
import type { Numbers } from './numbers/numbers.ts';
import type { Projects } from './projects.ts';
import type { History } from './states/history.ts';
import type { RefusedWrites } from './states/refused-writes.ts';
import type { States } from './states/states.ts';
import type { Uploads } from './states/uploads.ts';
import type { Webhooks } from './webhooks/webhooks.ts';
import type { PendingStates } from './workspaces/pending-states.ts';
import type { VariableSets } from './workspaces/variable-sets.ts';
import type { Variables } from './workspaces/variables.ts';
import type { Workspaces } from './workspaces/workspaces.ts';
import type { Watches } from './watched.ts';

/** What each method of a part is called in the audit log. A method that a caller may be refused has a row. */
export const WATCHED: {
  readonly states: Watches<States>;
  readonly history: Watches<History>;
  readonly locks: Watches<Locks>;
  readonly credentials: Watches<Credentials>;
  readonly sessions: Watches<Sessions>;
  readonly pageSessions: Watches<PageSessions>;
  readonly rights: Watches<RightsView>;
  readonly explorer: Watches<Explorer>;
  readonly graph: Watches<Graph>;
  readonly numbers: Watches<Numbers>;
  readonly projects: Watches<Projects>;
  readonly uploads: Watches<Uploads>;
  readonly refusedWrites: Watches<RefusedWrites>;
  readonly freezes: Watches<Freezes>;
  readonly firstWrites: Watches<FirstWrites>;
  readonly webhooks: Watches<Webhooks>;
  readonly workspaces: Watches<Workspaces>;
  readonly pendingStates: Watches<PendingStates>;
  readonly variables: Watches<Variables>;
  readonly variableSets: Watches<VariableSets>;
  readonly audit: Watches<Audit>;
} = {
  states: {
    read: { action: 'read' },
    readWhole: { action: 'read-outputs' },
    describe: { action: 'read' },
    write: { action: 'write' },
    delete: { action: 'delete' },
    list: { action: 'list-states', looks: true },
  },
  history: {
    versions: { action: 'list-versions', looks: true },
    version: { action: 'list-versions', looks: true },
    restore: { action: 'restore' },
    undelete: { action: 'undelete' },
    purge: { action: 'purge' },
    dropVersion: { action: 'purge' },
    retain: { action: 'retain' },
    retaining: { action: 'list-versions', looks: true },
  },
  locks: {
    refuse: { action: 'lock', asks: true },
    lock: { action: 'lock' },
    unlock: { action: 'unlock' },
    renew: { action: 'renew' },
    describe: { action: 'describe-lock' },
    show: { action: 'read-lock', looks: true },
    list: { action: 'list-locks', looks: true },
    past: { action: 'read-lock', looks: true },
  },
  credentials: {
    list: { action: 'list-credentials', looks: true },
    create: { action: 'credential-create' },
    change: { action: 'credential-change' },
    revoke: { action: 'credential-revoke' },
  },
  sessions: {
    assume: { action: 'assume-role' },
  },
  pageSessions: {
    begin: { action: 'sign-in' },
    end: { action: 'sign-out' },
  },
  rights: {
    at: { action: 'list-credentials' },
  },
  explorer: {
    find: { action: 'explore', looks: true },
    renew: { action: 'reindex' },
  },
  graph: {
    around: { action: 'explore', looks: true },
    of: { action: 'explore', looks: true },
  },
  numbers: {
    tell: { action: 'read-numbers', looks: true },
  },
  projects: {
    look: { action: 'read-project', looks: true },
    refuse: { action: 'list', asks: true },
    listVisible: { action: 'list-projects', looks: true },
    seen: { action: 'list-projects', looks: true },
    make: { action: 'project-set' },
    set: { action: 'project-set' },
    forget: { action: 'project-drop' },
  },
  uploads: {
    begin: { action: 'upload-begin' },
    put: { action: 'upload-part' },
    list: { action: 'list-uploads', looks: true },
  },
  refusedWrites: {
    list: { action: 'list-kept', looks: true },
    read: { action: 'read-kept' },
    drop: { action: 'drop-kept' },
  },
  freezes: {
    set: { action: 'freeze' },
    lift: { action: 'unfreeze' },
    list: { action: 'list-freezes', looks: true },
  },
  firstWrites: {
    announce: { action: 'announce' },
  },
  webhooks: {
    set: { action: 'webhook-set' },
    list: { action: 'list-webhooks', looks: true },
    remove: { action: 'webhook-drop' },
    test: { action: 'webhook-test' },
  },
  workspaces: {
    look: { action: 'read-workspace', looks: true },
    make: { action: 'workspace-set' },
    set: { action: 'workspace-set' },
    forget: { action: 'workspace-drop' },
    list: { action: 'list-workspaces', looks: true },
    groups: { action: 'list-workspaces', looks: true },
    setGroup: { action: 'workspace-group-set' },
    dropGroup: { action: 'workspace-group-drop' },
  },
  pendingStates: {
    begin: { action: 'write' },
    find: { action: 'read' },
  },
  variables: {
    list: { action: 'list-variables', looks: true },
    set: { action: 'variable-set' },
    remove: { action: 'variable-drop' },
    forget: { action: 'variable-drop' },
  },
  variableSets: {
    list: { action: 'list-variable-sets', looks: true },
    ofWorkspace: { action: 'list-variable-sets', looks: true },
    effective: { action: 'list-variables', looks: true },
    find: { action: 'list-variable-sets', looks: true },
    make: { action: 'variable-set-set' },
    set: { action: 'variable-set-set' },
    remove: { action: 'variable-set-drop' },
    leave: { action: 'variable-set-set' },
  },
  audit: {
    read: { action: 'read-audit', looks: true },
    follow: { action: 'read-audit', looks: true },
    head: { action: 'read-audit', looks: true },
  },
};
