import { createHash } from 'node:crypto';
import { formatAddress, type Address } from '../../src/core/address.ts';
import { placeOfSet } from '../../src/house/workspaces/variable-sets.ts';
import {
  HCP_ALIAS,
  outputId,
  projectId,
  stateVersionId,
  tagId,
  workspaceId,
  workspaceName,
} from '../../src/protocols/hcp/layout.ts';
import { RUN_TRIALS } from './run-trials.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import type { Answer } from '../support/request.ts';
import {
  EMPTY_PROJECT,
  emptyProject,
  otherLock,
  ownLock,
  SECRET,
  STATE,
  state,
  stateText,
  type Scene,
  type Trial,
} from './scene.ts';

const send = ({ house, pair }: Scene, method: string, path: string, body?: object): Promise<Answer> =>
  house.ask(method, `/api/v2/${path}`, {
    as: null,
    headers: {
      'content-type': 'application/vnd.api+json',
      ...(pair === null ? {} : { authorization: `Bearer ${pair.id}.${pair.secret}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const ask =
  (method: string, path: string, body?: object): Trial['ask'] =>
  (scene) =>
    send(scene, method, path, body);
const tells = (path: string, text: string, prepare: Trial['prepare'] = [state]): Trial => ({
  prepare,
  ask: ask('GET', path),
  proof: { text },
});
const changes = (
  method: string,
  path: string,
  body?: object,
  prepare: Trial['prepare'] = [state],
): Trial => ({
  prepare,
  ask: ask(method, path, body),
  proof: 'changed',
});

const NAME = workspaceName(STATE);
const ID = workspaceId(STATE);
const NAMED = `organizations/acme/workspaces/${NAME}`;
const BY_ID = `workspaces/${ID}`;

const GROUP = `projects/${projectId('acme', 'base')}`;
const TAG_APP = { data: [{ type: 'tags', attributes: { name: 'app' } }] };

/** A project of HCP's, with a tag. */
async function group({ house }: Scene): Promise<void> {
  const place = { project: 'acme', name: 'base' };
  const answer = await house.house.workspaces.kept.setGroup(ADMIN_CALLER, place, () => ({
    description: '',
    tags: { layer: 'base' },
  }));
  if (answer.type !== 'set') throw new Error(`no group: ${answer.type}`);
}

/** The state, with a tag. */
async function tagged(scene: Scene): Promise<void> {
  await state(scene);
  const answer = await scene.house.house.workspaces.kept.set(ADMIN_CALLER, STATE, () => ({
    tags: { app: '' },
  }));
  if (answer.type !== 'set') throw new Error(`no tag: ${answer.type}`);
}

/** The state, with a variable of its workspace. */
async function variable(scene: Scene): Promise<void> {
  await state(scene);
  const change = { key: 'region', value: 'north', category: 'terraform' } as const;
  const answer = await scene.house.house.workspaces.variables.set(ADMIN_CALLER, STATE, null, change);
  if (answer.type !== 'set') throw new Error(`no variable: ${answer.type}`);
}

function withVariable(method: string, body: object | undefined, proof: Trial['proof']): Trial {
  return {
    prepare: [variable],
    ask: async (scene) => {
      const found = await scene.house.house.workspaces.variables.list(ADMIN_CALLER, STATE);
      const [first] = found.type === 'variables' ? found.variables : [];
      return send(scene, method, `${BY_ID}/vars/${first?.id ?? 'var-0'}`, body);
    },
    proof,
  };
}

/** The state, and a set with a variable that its workspace gets. */
async function variableSet(scene: Scene): Promise<void> {
  await state(scene);
  const { sets, variables } = scene.house.house.workspaces;
  const made = await sets.make(ADMIN_CALLER, STATE.project, {
    name: 'shared',
    workspaces: [formatAddress(STATE)],
  });
  if (made.type !== 'set') throw new Error(`no set: ${made.type}`);
  const change = { key: 'region', value: 'north', category: 'terraform' } as const;
  const answer = await variables.set(ADMIN_CALLER, placeOfSet(made.set), null, change);
  if (answer.type !== 'set') throw new Error(`no variable: ${answer.type}`);
}

/** Asks about that set. @param path what follows its own; `:variable` stands for the ID of its variable */
function withSet(method: string, path: string, body: object | undefined, proof: Trial['proof']): Trial {
  return {
    prepare: [variableSet],
    ask: async (scene) => {
      const { sets, variables } = scene.house.house.workspaces;
      const found = await sets.list(ADMIN_CALLER, STATE.project);
      const set = found.type === 'sets' ? found.sets[0] : undefined;
      if (set === undefined) throw new Error('no set');
      const kept = await variables.list(ADMIN_CALLER, placeOfSet(set));
      const id = kept.type === 'variables' ? (kept.variables[0]?.id ?? '') : '';
      return send(scene, method, `varsets/${set.id}${path.replace(':variable', id)}`, body);
    },
    proof,
  };
}

const one = (type: string, attributes: object, relationships: object = {}): object => ({
  data: { type, attributes, relationships },
});
/** A version of the state, by its serial. */
const versionOf = (serial: number, address: Address = STATE): string =>
  stateVersionId({ address, serial: BigInt(serial), md5: md5Of(stateText(serial)) });
const outputOf = (serial: number): string =>
  outputId({ address: STATE, serial: BigInt(serial), md5: md5Of(stateText(serial)) }, 'said');
const announced = (serial: number, more: object = {}): object =>
  one('state-versions', { serial, md5: md5Of(stateText(serial)), lineage: 'l', ...more });

function md5Of(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** How the rows of the hcp door are tried. */
export const HCP_TRIALS: Readonly<Record<string, Trial>> = {
  ...RUN_TRIALS,
  'ping, the service': { prepare: [], ask: ask('GET', 'ping'), proof: { status: 204 } },
  'account.details, oneself': tells('account/details', '"username"', []),
  'organizations.list, each project with a state': tells('organizations', '"name":"acme"'),
  'organizations.list, each project that was made': tells('organizations', '"name":"acme"', [emptyProject]),
  'organizations.read, a project with a state': tells('organizations/acme', '"name":"acme"'),
  'organizations.read, a project that was made': tells(`organizations/${EMPTY_PROJECT}`, '"name":"acme"', [
    emptyProject,
  ]),
  'organizations.create, a project': changes(
    'POST',
    'organizations',
    one('organizations', { name: 'acme' }),
    [],
  ),
  'organizations.read-entitlements, a project': tells(
    'organizations/acme/entitlement-set',
    '"state-storage"',
    [],
  ),
  'projects.list, a project': tells('organizations/acme/projects', '"name":"base"', [group]),
  'projects.create, a project': changes(
    'POST',
    'organizations/acme/projects',
    one('projects', { name: 'base' }),
    [],
  ),
  'projects.read, a project': tells(GROUP, '"name":"base"', [group]),
  'projects.update, a project': changes('PATCH', GROUP, one('projects', { description: 'of the base' }), [
    group,
  ]),
  'projects.delete, a project': changes('DELETE', GROUP, undefined, [group]),
  'projects.list-tag-bindings, a project': tells(`${GROUP}/tag-bindings`, '"key":"layer"', [group]),
  'projects.list-effective-tag-bindings, a project': tells(
    `${GROUP}/effective-tag-bindings`,
    '"key":"layer"',
    [group],
  ),
  'projects.add-tag-bindings, a project': changes(
    'PATCH',
    `${GROUP}/tag-bindings`,
    { data: [{ type: 'tag-bindings', attributes: { key: 'team', value: 'net' } }] },
    [group],
  ),
  'projects.move-workspaces, a workspace': changes(
    'POST',
    `${GROUP}/relationships/workspaces`,
    { data: [{ type: 'workspaces', id: ID }] },
    [state, group],
  ),
  'workspaces.list, a project': tells('organizations/acme/workspaces', '"data"'),
  'workspaces.list, each state': tells('organizations/acme/workspaces', `"name":"${NAME}"`),
  'workspaces.create, a workspace': changes(
    'POST',
    'organizations/acme/workspaces',
    one('workspaces', { name: NAME }),
    [],
  ),
  'workspaces.read, a workspace': tells(NAMED, `"name":"${NAME}"`),
  'workspaces.read-by-id, a workspace': tells(BY_ID, `"name":"${NAME}"`),
  'workspaces.update, a workspace': changes('PATCH', NAMED, one('workspaces', { description: 'of the net' })),
  'workspaces.update-by-id, a workspace': changes(
    'PATCH',
    BY_ID,
    one('workspaces', { description: 'of the net' }),
  ),
  'workspaces.delete, a workspace': changes('DELETE', NAMED),
  'workspaces.delete-by-id, a workspace': changes('DELETE', BY_ID),
  'workspaces.safe-delete, a workspace': changes('POST', `${NAMED}/actions/safe-delete`),
  'workspaces.safe-delete-by-id, a workspace': changes('POST', `${BY_ID}/actions/safe-delete`),
  'workspaces.list-tag-bindings, a workspace': tells(`${BY_ID}/tag-bindings`, '"key":"app"', [tagged]),
  'workspaces.list-effective-tag-bindings, a workspace': tells(
    `${BY_ID}/effective-tag-bindings`,
    '"key":"app"',
    [tagged],
  ),
  'workspaces.add-tag-bindings, a workspace': changes('PATCH', `${BY_ID}/tag-bindings`, {
    data: [{ type: 'tag-bindings', attributes: { key: 'team', value: 'net' } }],
  }),
  'workspaces.list-tags, a workspace': tells(`${BY_ID}/relationships/tags`, '"name":"app"', [tagged]),
  'workspaces.add-tags, a workspace': changes('POST', `${BY_ID}/relationships/tags`, TAG_APP),
  'workspaces.remove-tags, a workspace': changes('DELETE', `${BY_ID}/relationships/tags`, TAG_APP, [tagged]),
  'organization-tags.delete, a tag of a workspace': changes(
    'DELETE',
    'organizations/acme/tags',
    { data: [{ type: 'tags', id: tagId('acme', 'app') }] },
    [tagged],
  ),
  'organization-tags.list, a project': tells('organizations/acme/tags', '"data"', [tagged]),
  'organization-tags.list, each workspace': tells('organizations/acme/tags', '"name":"app"', [tagged]),
  'workspaces.lock, the lock': changes(
    'POST',
    `${BY_ID}/actions/lock`,
    one('', { reason: 'Locked by Terraform' }),
  ),
  "workspaces.unlock, one's own lock": {
    ...changes('POST', `${BY_ID}/actions/unlock`, undefined, [state, ownLock(HCP_ALIAS)]),
    perAsker: true,
  },
  "workspaces.unlock, another's lock": changes('POST', `${BY_ID}/actions/unlock`, undefined, [
    state,
    otherLock(HCP_ALIAS),
  ]),
  'workspaces.force-unlock, a lock': changes('POST', `${BY_ID}/actions/force-unlock`, undefined, [
    state,
    otherLock(HCP_ALIAS),
  ]),
  'state-versions.create, a state to be uploaded': changes('POST', `${BY_ID}/state-versions`, announced(3)),
  'state-versions.create, a state': changes(
    'POST',
    `${BY_ID}/state-versions`,
    announced(3, { state: Buffer.from(stateText(3)).toString('base64') }),
  ),
  'state-versions.rollback, an old version': changes(
    'PATCH',
    `${BY_ID}/state-versions`,
    one(
      'state-versions',
      {},
      {
        'rollback-state-version': { data: { type: 'state-versions', id: versionOf(1) } },
      },
    ),
  ),
  'state-versions.read-current, a state': tells(`${BY_ID}/current-state-version`, versionOf(2)),
  'state-versions.list, a state': tells(
    `state-versions?filter%5Borganization%5D%5Bname%5D=acme&filter%5Bworkspace%5D%5Bname%5D=${NAME}`,
    versionOf(1),
  ),
  'state-versions.read, the newest version': tells(`state-versions/${versionOf(2)}`, '"serial":2'),
  'state-versions.read, an old version': tells(`state-versions/${versionOf(1)}`, '"serial":1'),
  'state-versions.download, the newest version': tells(`state-versions/${versionOf(2)}/download`, SECRET),
  'state-versions.download, an old version': tells(`state-versions/${versionOf(1)}/download`, SECRET),
  'state-version-outputs.read-current, the outputs': tells(
    `${BY_ID}/current-state-version-outputs`,
    '"said"',
  ),
  'state-versions.list-outputs, the outputs': tells(`state-versions/${versionOf(2)}/outputs`, '"said"'),
  'state-versions.list-outputs, a sensitive value': tells(`state-versions/${versionOf(2)}/outputs`, SECRET),
  'state-versions.list-outputs, those of an old version': tells(
    `state-versions/${versionOf(1)}/outputs`,
    '"said"',
  ),
  'state-version-outputs.read, an output': tells(`state-version-outputs/${outputOf(2)}`, '"said"'),
  'variables.list, a workspace': tells(`${BY_ID}/vars`, '"key":"region"', [variable]),
  'variables.list-all, a workspace': tells(`${BY_ID}/all-vars`, '"key":"region"', [variable]),
  'variables.create, a workspace': changes(
    'POST',
    `${BY_ID}/vars`,
    one('vars', { key: 'region', value: 'north', category: 'terraform' }),
  ),
  'variables.read, a workspace': withVariable('GET', undefined, { text: '"key":"region"' }),
  'variables.update, a workspace': withVariable('PATCH', one('vars', { value: 'south' }), 'changed'),
  'variables.delete, a workspace': withVariable('DELETE', undefined, 'changed'),
  'variable-sets.list, the sets': tells('organizations/acme/varsets', '"name":"shared"', [variableSet]),
  'variable-sets.list-for-workspace, a workspace': tells(`${BY_ID}/varsets`, '"name":"shared"', [
    variableSet,
  ]),
  'variable-sets.create, a set': changes(
    'POST',
    'organizations/acme/varsets',
    one('varsets', { name: 'other', global: true }),
  ),
  'variable-sets.read, a set': withSet('GET', '', undefined, { text: '"name":"shared"' }),
  'variable-sets.update, a set': withSet('PATCH', '', one('varsets', { global: true }), 'changed'),
  'variable-sets.delete, a set': withSet('DELETE', '', undefined, 'changed'),
  'variable-sets.apply-to-workspaces, a set': withSet(
    'POST',
    '/relationships/workspaces',
    { data: [{ type: 'workspaces', id: workspaceId({ ...STATE, key: 'net/second' }) }] },
    'changed',
  ),
  'variable-sets.remove-from-workspaces, a set': withSet(
    'DELETE',
    '/relationships/workspaces',
    { data: [{ type: 'workspaces', id: ID }] },
    'changed',
  ),
  'variable-set-variables.list, a set': withSet('GET', '/relationships/vars', undefined, {
    text: '"key":"region"',
  }),
  'variable-set-variables.create, a set': withSet(
    'POST',
    '/relationships/vars',
    one('vars', { key: 'size', value: '1', category: 'terraform' }),
    'changed',
  ),
  'variable-set-variables.read, a set': withSet('GET', '/relationships/vars/:variable', undefined, {
    text: '"key":"region"',
  }),
  'variable-set-variables.update, a set': withSet(
    'PATCH',
    '/relationships/vars/:variable',
    one('vars', { value: 'south' }),
    'changed',
  ),
  'variable-set-variables.delete, a set': withSet(
    'DELETE',
    '/relationships/vars/:variable',
    undefined,
    'changed',
  ),
  'state-version-outputs.read, a sensitive value': tells(`state-version-outputs/${outputOf(2)}`, SECRET),
};
