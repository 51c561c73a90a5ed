import { liveHead } from '../../../core/world.ts';
import { madeAt, type Workspace } from '../../../house/workspaces/workspaces.ts';
import { executionOf } from '../../../runs/execution.ts';
import { holdingInWords } from '../../explain.ts';
import { shownLock } from '../../lock-object/shown-lock.ts';
import { toMany, toOne, type Resource } from '../json-api.ts';
import {
  API_PREFIX,
  APP_PREFIX,
  projectId,
  stateVersionId,
  userId,
  workspaceId,
  workspaceName,
} from '../layout.ts';
import type { DoorCall } from './call.ts';

/** What is told of a workspace of which nothing was set. */
const DEFAULTS = {
  'agent-pool-id': null,
  'allow-destroy-plan': true,
  'assessments-enabled': false,
  'auto-apply': false,
  'auto-apply-run-trigger': false,
  'auto-destroy-activity-duration': null,
  'auto-destroy-at': null,
  description: null,
  'execution-mode': 'local',
  'file-triggers-enabled': true,
  'global-remote-state': false,
  'inherits-project-auto-destroy': false,
  'queue-all-runs': false,
  'source-name': null,
  'source-url': null,
  'speculative-enabled': true,
  'structured-run-output-enabled': false,
  'terraform-version': 'latest',
  'trigger-patterns': [],
  'trigger-prefixes': [],
  'working-directory': null,
} as const;

/** A workspace as HCP describes one. @param currentRun the ID of the run that has its lock, or is the first to have it */
export function describeWorkspace(
  call: DoorCall,
  workspace: Workspace,
  currentRun: string | null = null,
): Resource {
  const { address, record, world } = workspace;
  const { project } = address;
  const name = workspaceName(address);
  const id = workspaceId(address);
  const head = liveHead(world.record);
  const { mode, pool } =
    call.runs === null
      ? { mode: 'local', pool: null }
      : executionOf(record?.settings ?? null, call.runs.executesHere);
  const holders = call.house.lockInfos.ofHolders(address, world.holders);
  const [holder] = holders;
  const lock = shownLock(holders);
  const tags = Object.entries(record?.tags ?? {});
  const changedAt = new Date(record?.updatedAt ?? head?.at ?? madeAt(workspace)).toISOString();
  return {
    id,
    type: 'workspaces',
    attributes: {
      ...DEFAULTS,
      ...record?.settings,
      ...versionOf(call, record?.settings['terraform-version']),
      name,
      actions: { 'is-destroyable': true },
      'created-at': new Date(madeAt(workspace)).toISOString(),
      environment: 'default',
      'hyok-enabled': false,
      'latest-change-at': changedAt,
      'updated-at': changedAt,
      locked: holder !== undefined,
      operations: mode !== 'local',
      'execution-mode': mode,
      'agent-pool-id': pool,
      'locked-reason': holder === undefined ? '' : holdingInWords({ holders }),
      'lock-info': lock === null ? null : Buffer.from(lock.info).toString(),
      permissions: permissionsOf(call, workspace),
      'policy-check-failures': null,
      'resource-count': 0,
      'run-failures': null,
      'workspace-kpis-runs-count': null,
      'setting-overwrites': { 'execution-mode': true, 'agent-pool': true },
      source: 'tfe-api',
      'tag-names': tags.filter(([, value]) => value === '').map(([key]) => key),
      'unarchived-at': null,
      'vcs-repo': null,
      'vcs-repo-identifier': null,
    },
    relationships: {
      organization: toOne({ id: project, type: 'organizations' }),
      project: toOne({ id: projectId(project, record?.group ?? null), type: 'projects' }),
      'current-state-version': toOne(
        head === null ? null : { id: stateVersionId({ address, ...head }), type: 'state-versions' },
      ),
      'locked-by': toOne(holder === undefined ? null : { id: userId(holder.subject), type: 'users' }),
      'current-run': toOne(currentRun === null ? null : { id: currentRun, type: 'runs' }),
      'agent-pool': toOne(pool === null ? null : { id: pool, type: 'agent-pools' }),
      'ssh-key': toOne(null),
      'tag-bindings': { links: { related: `${API_PREFIX}workspaces/${id}/tag-bindings` } },
      'effective-tag-bindings': {
        links: { related: `${API_PREFIX}workspaces/${id}/effective-tag-bindings` },
      },
      'remote-state-consumers': toMany([]),
      outputs: toMany([]),
    },
    links: {
      self: `${API_PREFIX}organizations/${project}/workspaces/${name}`,
      'self-html': `${APP_PREFIX}${project}/workspaces/${name}`,
    },
  };
}

/**
 * The version of Terraform. Terraform refuses to go on where it is not its own, so each is told its own: what a state needs is
 * in the state.
 */
function versionOf({ request }: DoorCall, set: unknown): { readonly 'terraform-version': unknown } {
  const own = request.header('terraform-version');
  return { 'terraform-version': own ?? set ?? DEFAULTS['terraform-version'] };
}

function permissionsOf(
  { house: { gate }, runs, caller: { identity } }: DoorCall,
  { address }: Workspace,
): Readonly<Record<string, boolean>> {
  const may = (action: Parameters<typeof gate.shows>[1]): boolean => gate.shows(identity, action, address);
  const [mayWrite, mayBreak] = [may('write'), may('force-unlock')];
  return {
    'can-read-settings': may('read'),
    'can-update': mayWrite,
    'can-update-variable': mayWrite,
    'can-read-variable': may('read'),
    'can-lock': may('lock'),
    'can-unlock': may('unlock'),
    'can-force-unlock': mayBreak,
    'can-destroy': may('delete'),
    'can-force-delete': may('delete'),
    'can-manage-tags': mayWrite,
    'can-manage-run-tasks': false,
    'can-queue-run': mayWrite && runs !== null,
    'can-queue-apply': mayWrite && runs !== null,
    'can-queue-destroy': mayWrite && runs !== null,
    'can-read-run': may('read'),
    'can-read-state-versions': may('read-history'),
    'can-read-state-outputs': may('read-outputs'),
    'can-create-state-versions': mayWrite,
    'can-read-assessment-results': false,
    'can-manage-assessments': false,
  };
}
