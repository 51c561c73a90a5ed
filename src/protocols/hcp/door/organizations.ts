import { projectProblem } from '../../../core/address.ts';
import type { Instant } from '../../../core/instant.ts';
import type { DoorReply } from '../../door.ts';
import { projectId, userId } from '../layout.ts';
import { toOne, type Resource } from '../json-api.ts';
import { isError, pageOf, readOne, reply, type Answer, type DoorCall, type Rows } from './call.ts';
import { invalid, notFound, refused } from './errors.ts';

/** Organizations are projects of the server, which need no making. */
export const ORGANIZATION_ROWS: Rows = {
  'organizations.list': { method: 'GET', path: 'organizations', run: listOrganizations },
  'organizations.create': { method: 'POST', path: 'organizations', run: createOrganization },
  'organizations.read': { method: 'GET', path: 'organizations/:organization', run: readOrganization },
  'organizations.read-entitlements': {
    method: 'GET',
    path: 'organizations/:organization/entitlement-set',
    run: readEntitlements,
  },
};

async function listOrganizations(call: DoorCall): Promise<Answer> {
  const seen = await call.house.projects.seen(call.caller);
  if (seen.type !== 'seen') return refused(seen);
  const search = (call.query.get('q') ?? call.query.get('q[name]') ?? '').toLowerCase();
  const found = seen.projects.filter(({ name }) => name.toLowerCase().includes(search));
  const paged = pageOf(call, found);
  if (isError(paged)) return paged;
  const data = paged.items.map(({ name, since }) => describeOrganization(call, name, since));
  return reply(call, data, { page: paged.page });
}

async function readOrganization(call: DoorCall): Promise<Answer> {
  const name = call.params['organization'] ?? '';
  const look = await call.house.projects.look(call.caller, name);
  if (look.type === 'absent') return notFound(`organization "${name}"`);
  if (look.type !== 'present') return refused(look);
  const since = (await call.house.projects.find(name))?.createdAt ?? 0;
  return reply(call, describeOrganization(call, name, since));
}

/** A project needs no making, but one that was made is seen before it has a state. */
async function createOrganization(call: DoorCall): Promise<Answer> {
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { name } = sent.attributes;
  const problem = typeof name === 'string' ? projectProblem(name) : 'expected a name';
  if (problem !== null || typeof name !== 'string') return invalid(`invalid name: ${problem ?? ''}`);
  const answer = await call.house.projects.make(call.caller, name);
  if (answer.type === 'made-before') return invalid('Name has already been taken');
  if (answer.type !== 'made') return refused(answer);
  return reply(call, describeOrganization(call, name, await call.house.now()), { status: 201 });
}

/** What an organization may do here: operations only where the server executes runs. */
async function readEntitlements(call: DoorCall): Promise<Answer> {
  const name = call.params['organization'] ?? '';
  const problem = projectProblem(name);
  if (problem !== null) return notFound(`organization "${name}" (${problem})`);
  const refusal = call.house.projects.refuse(call.caller, 'read-outputs', name);
  return refusal === null ? entitlementReply(call, name) : refused(refusal);
}

function entitlementReply(call: DoorCall, name: string): DoorReply {
  return reply(call, {
    id: name,
    type: 'entitlement-sets',
    attributes: {
      agents: false,
      'audit-logging': false,
      'cost-estimation': false,
      'global-run-tasks': false,
      operations: call.runs !== null,
      'policy-enforcement': false,
      'private-module-registry': false,
      'run-tasks': false,
      sso: false,
      'state-storage': true,
      teams: false,
      'user-limit': null,
      'vcs-integrations': false,
      'waypoint-actions': false,
    },
  });
}

function describeOrganization({ house, runs, caller }: DoorCall, name: string, since: Instant): Resource {
  const mayWrite = house.gate.showsProject(caller.identity, 'write', name);
  return {
    id: name,
    type: 'organizations',
    attributes: {
      name,
      'external-id': `org-${name}`,
      'created-at': new Date(since).toISOString(),
      email: null,
      'access-beyond-limit': false,
      'aggregated-commit-status-enabled': false,
      'allow-force-delete-workspaces': true,
      'assessments-enforced': false,
      'collaborator-auth-policy': 'password',
      'cost-estimation-enabled': false,
      'default-execution-mode': runs?.executesHere === true ? 'remote' : 'local',
      'fair-run-queuing-enabled': true,
      'global-module-sharing': false,
      'is-unified': false,
      'owners-team-saml-role-id': null,
      'saml-enabled': false,
      'send-passing-statuses-for-untriggered-speculative-plans': false,
      'session-remember': null,
      'session-timeout': null,
      'speculative-plan-management-enabled': false,
      'two-factor-conformant': true,
      permissions: {
        'can-create-workspace': mayWrite,
        'can-create-workspace-migration': mayWrite,
        'can-destroy': false,
        'can-traverse': true,
        'can-update': false,
      },
    },
    relationships: {
      'default-project': toOne({ id: projectId(name, null), type: 'projects' }),
      'entitlement-set': toOne({ id: name, type: 'entitlement-sets' }),
      'authentication-token': toOne(null),
      owner: toOne({ id: userId(caller.identity.subject), type: 'users' }),
    },
    links: { self: `/api/v2/organizations/${name}` },
  };
}
