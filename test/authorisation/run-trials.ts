import { formatAddress } from '../../src/core/address.ts';
import { newRun, type RunState } from '../../src/core/runs/status.ts';
import { RecordBodies } from '../../src/house/records/bodies.ts';
import { phaseId, workspaceId } from '../../src/protocols/hcp/layout.ts';
import { CURRENT_CONFIGURATIONS } from '../../src/runs/records.ts';
import { DRIFTS } from '../../src/runs/drift/records.ts';
import { NOTIFICATIONS } from '../../src/runs/notifications/records.ts';
import { RunBook } from '../../src/runs/run-book.ts';
import { RUN_TRIGGERS } from '../../src/runs/triggers/triggers.ts';
import { systemEntropy } from '../../src/server/runtime.ts';
import { PLAYED_VERSION } from '../runs/played-program.ts';
import { slugOf, WANTED } from '../runs/running-house.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import type { Answer } from '../support/request.ts';
import { alsoGranted, put, STATE, state, stateText, type Scene, type Trial } from './scene.ts';

const RUN = 'run-1111111111111111';
const TRIGGER = 'rt-1111111111111111';
const NOTIFICATION = 'nc-1111111111111111';
const SOURCE = { ...STATE, project: 'beta' };
const PLAN = phaseId('plan', RUN);
const APPLY = phaseId('apply', RUN);
const WORKSPACE = `workspaces/${workspaceId(STATE)}`;
const slug = await slugOf({ 'main.tf': '' });

const ask =
  (method: string, path: string, body?: (scene: Scene) => object): Trial['ask'] =>
  (scene): Promise<Answer> => {
    const { house, pair } = scene;
    return house.ask(method, `/api/v2/${withIds(path, scene)}`, {
      as: null,
      headers: {
        'content-type': 'application/vnd.api+json',
        ...(pair === null ? {} : { authorization: `Bearer ${pair.id}.${pair.secret}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body(scene)) }),
    });
  };

function withIds(path: string, { uploadId, poolId, tokenId, agentId }: Scene): string {
  return path
    .replace('CV', uploadId)
    .replace('POOL', poolId)
    .replace('TOKEN', tokenId)
    .replace('AGENT', agentId);
}

/** A configuration whose archive has come. */
async function configuration(scene: Scene): Promise<void> {
  const { runs } = scene.house;
  const made = await runs?.configurations.create(ADMIN_CALLER, STATE, {
    speculative: false,
    provisional: false,
  });
  if (made?.type !== 'created') throw new Error('no configuration');
  scene.uploadId = made.configuration.id;
  await runs?.configurations.upload({}, scene.uploadId, chunks());
}

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield slug;
}

/** A run that nobody looks after, so that it stays as it is. */
function runThatIs(run: Partial<RunState>): (scene: Scene) => Promise<void> {
  return async ({ house }) => {
    const { engine, sealer } = house;
    const book = new RunBook(house.house, new RecordBodies({ engine, sealer, entropy: systemEntropy }));
    const { destroy, refresh, refreshOnly, targets, replaces, generatesConfiguration, autoApply } = WANTED;
    await book.add({
      ...newRun('apply'),
      ...run,
      id: RUN,
      address: STATE,
      configuration: 'cv-1',
      createdAt: 1,
      createdBy: 'token:another',
      message: '',
      task: { destroy, refresh, refreshOnly, targets, replaces, generatesConfiguration, autoApply },
      program: 'terraform',
      version: PLAYED_VERSION,
      directory: '',
      lockId: '11111111-2222-4333-8444-555555555555',
      node: 'another',
      times: {},
      job: null,
      pool: null,
      plannedOn: 0,
      counts: null,
      problem: null,
    });
    await book.putPart(RUN, 'json', Buffer.from('{"format_version":"1.2","resource_changes":[]}'));
  };
}

/** A run has applied the configuration. */
async function applied({ house, uploadId }: Scene): Promise<void> {
  const run = { run: RUN, at: 1, program: 'terraform', version: PLAYED_VERSION, directory: '' } as const;
  const current = { ...run, configuration: uploadId, size: slug.length };
  await house.house.records(CURRENT_CONFIGURATIONS).put(null, formatAddress(STATE), current);
}

/** The state has drifted. */
async function drifted({ house }: Scene): Promise<void> {
  const found = { run: RUN, at: 1, version: 1, drifted: true, count: 1, digest: '' };
  await house.house
    .records(DRIFTS)
    .put(null, formatAddress(STATE), { run: RUN, at: 1, problem: null, found });
}

/** Another state, which the asker may read. */
const source = async (scene: Scene): Promise<void> => {
  await put(scene.house, stateText(1), SOURCE);
  await alsoGranted({ role: 'reader', pattern: formatAddress(SOURCE) })(scene);
};

/** Applies of another state, which the asker may read, make runs of the state. */
async function trigger(scene: Scene): Promise<void> {
  await source(scene);
  const link = { source: formatAddress(SOURCE), target: formatAddress(STATE) };
  await scene.house.house.records(RUN_TRIGGERS).put(null, TRIGGER, { ...link, createdAt: 1, createdBy: '' });
}

/** Somebody is told of the runs of the state. */
async function notification(scene: Scene): Promise<void> {
  const { engine, sealer, house } = scene.house;
  const bodies = new RecordBodies({ engine, sealer, entropy: systemEntropy });
  const stored = {
    address: formatAddress(STATE),
    name: 'team',
    enabled: false,
    destination: 'generic',
    triggers: [],
    mayBeInside: false,
    origin: 'http://localhost',
    createdAt: 1,
    updatedAt: 1,
    createdBy: '',
    verification: null,
  } as const;
  const target = bodies.seal(Buffer.from('{"url":"http://127.0.0.1:1/","token":null}'));
  await house.records(NOTIFICATIONS).put(null, NOTIFICATION, stored, target);
}

const planned = runThatIs({ status: 'planned', planEnd: 'finished', hasChanges: true });
const tells = (path: string, text: string): Trial => ({
  prepare: [state, planned],
  ask: ask('GET', path),
  proof: { text },
});
const acts = (action: string, run: Partial<RunState>): Trial => ({
  prepare: [state, runThatIs(run)],
  ask: ask('POST', `runs/${RUN}/actions/${action}`, () => ({})),
  proof: 'changed',
});

/** An agent pool of the project, and a token of it. @returns the token's text */
async function pool(scene: Scene): Promise<string> {
  const { runs } = scene.house;
  const made = await runs?.pools.create(ADMIN_CALLER, STATE.project, 'office');
  if (made?.type !== 'created') throw new Error('no pool');
  const added = await runs?.pools.addToken(ADMIN_CALLER, made.pool.id, 'first');
  if (added?.type !== 'added') throw new Error('no token');
  [scene.poolId, scene.tokenId] = [made.pool.id, added.token.id];
  return added.text;
}

/** An agent of that pool. */
async function agent(scene: Scene): Promise<void> {
  const pools = scene.house.runs?.pools;
  const admitted = await pools?.admit(await pool(scene));
  if (pools === undefined || admitted === undefined || admitted === null) throw new Error('no pool');
  const told = { name: 'desk', version: '1', programs: [], address: '192.0.2.1' };
  const answer = await pools.register(admitted, told);
  if (answer.type !== 'registered') throw new Error(answer.type);
  scene.agentId = answer.id;
}
const document = (type: string, attributes: object) => (): object => ({ data: { type, attributes } });

/** How the rows of the hcp door are tried that are about runs. */
export const RUN_TRIALS: Readonly<Record<string, Trial>> = {
  'configuration-versions.create, a configuration': {
    prepare: [state],
    ask: ask('POST', `${WORKSPACE}/configuration-versions`, () => ({
      data: { type: 'configuration-versions', attributes: {} },
    })),
    proof: 'changed',
  },
  'configuration-versions.read, a configuration': {
    prepare: [state, configuration],
    ask: ask('GET', 'configuration-versions/CV'),
    proof: { text: '"status":"uploaded"' },
  },
  'configuration-versions.download, an archive': {
    prepare: [state, configuration],
    ask: ask('GET', 'configuration-versions/CV/download'),
    proof: { status: 200 },
  },
  'runs.create, a run': {
    prepare: [state, configuration],
    ask: ask('POST', 'runs', ({ uploadId }) => ({
      data: {
        type: 'runs',
        attributes: {},
        relationships: {
          'configuration-version': { data: { type: 'configuration-versions', id: uploadId } },
        },
      },
    })),
    proof: 'changed',
  },
  'runs.create, a run of what was applied last': {
    prepare: [state, configuration, applied],
    ask: ask('POST', 'runs', () => ({
      data: {
        type: 'runs',
        attributes: {},
        relationships: { workspace: { data: { type: 'workspaces', id: workspaceId(STATE) } } },
      },
    })),
    proof: 'changed',
  },
  'runs.read, a run': tells(`runs/${RUN}`, '"status":"planned"'),
  'runs.list, the runs': tells(`${WORKSPACE}/runs`, RUN),
  'runs.apply, a run': acts('apply', { status: 'planned', planEnd: 'finished', hasChanges: true }),
  'runs.discard, a run': acts('discard', { status: 'planned', planEnd: 'finished', hasChanges: true }),
  'runs.cancel, a run': acts('cancel', { status: 'planning' }),
  'runs.force-cancel, a run': acts('force-cancel', {
    status: 'planning',
    asked: { cancel: { by: 'token:another', at: 1 } },
  }),
  'run-events.list, a run': {
    prepare: [state, planned],
    ask: ask('GET', `runs/${RUN}/run-events`),
    proof: { status: 200 },
  },
  'runs.queue, a project': {
    prepare: [state],
    ask: ask('GET', 'organizations/acme/runs/queue'),
    proof: { status: 200 },
  },
  'runs.queue, each run': {
    prepare: [state, runThatIs({ status: 'plan_queued' })],
    ask: ask('GET', 'organizations/acme/runs/queue'),
    proof: { text: RUN },
  },
  'organizations.read-capacity, a project': {
    prepare: [state],
    ask: ask('GET', 'organizations/acme/capacity'),
    proof: { text: '"organization-capacity"' },
  },
  'agent-pools.list, a project': {
    prepare: [state, pool],
    ask: ask('GET', 'organizations/acme/agent-pools'),
    proof: { text: '"office"' },
  },
  'agent-pools.create, a project': {
    prepare: [state],
    ask: ask('POST', 'organizations/acme/agent-pools', document('agent-pools', { name: 'office' })),
    proof: 'changed',
  },
  'agent-pools.read, a pool': {
    prepare: [state, pool],
    ask: ask('GET', 'agent-pools/POOL'),
    proof: { text: '"office"' },
  },
  'agent-pools.update, a pool': {
    prepare: [state, pool],
    ask: ask('PATCH', 'agent-pools/POOL', document('agent-pools', { name: 'renamed' })),
    proof: { text: '"renamed"' },
  },
  'agent-pools.delete, a pool': {
    prepare: [state, pool],
    ask: ask('DELETE', 'agent-pools/POOL'),
    proof: 'changed',
  },
  'agents.list, a pool': {
    prepare: [state, pool],
    ask: ask('GET', 'agent-pools/POOL/agents'),
    proof: { status: 200 },
  },
  'agents.read, an agent': {
    prepare: [state, agent],
    ask: ask('GET', 'agents/AGENT'),
    proof: { text: '"desk"' },
  },
  'agent-tokens.list, a pool': {
    prepare: [state, pool],
    ask: ask('GET', 'agent-pools/POOL/authentication-tokens'),
    proof: { text: '"first"' },
  },
  'agent-tokens.create, a pool': {
    prepare: [state, pool],
    ask: ask(
      'POST',
      'agent-pools/POOL/authentication-tokens',
      document('authentication-tokens', { description: 'second' }),
    ),
    proof: 'changed',
  },
  'agent-tokens.read, a token': {
    prepare: [state, pool],
    ask: ask('GET', 'authentication-tokens/TOKEN'),
    proof: { text: '"first"' },
  },
  'agent-tokens.delete, a token': {
    prepare: [state, pool],
    ask: ask('DELETE', 'authentication-tokens/TOKEN'),
    proof: 'changed',
  },
  'run-triggers.list, the state': {
    perAsker: true,
    prepare: [state, trigger],
    ask: ask('GET', `${WORKSPACE}/run-triggers?filter[run-trigger][type]=inbound`),
    proof: { text: TRIGGER },
  },
  'run-triggers.create, the state whose runs are made': {
    prepare: [state, source],
    ask: ask('POST', `${WORKSPACE}/run-triggers`, () => ({
      data: {
        type: 'run-triggers',
        relationships: { sourceable: { data: { type: 'workspaces', id: workspaceId(SOURCE) } } },
      },
    })),
    proof: 'changed',
  },
  'run-triggers.read, a trigger': {
    perAsker: true,
    prepare: [state, trigger],
    ask: ask('GET', `run-triggers/${TRIGGER}`),
    proof: { text: TRIGGER },
  },
  'run-triggers.delete, a trigger': {
    prepare: [state, trigger],
    ask: ask('DELETE', `run-triggers/${TRIGGER}`),
    proof: 'changed',
  },
  'notification-configurations.list, the state': {
    prepare: [state, notification],
    ask: ask('GET', `${WORKSPACE}/notification-configurations`),
    proof: { text: NOTIFICATION },
  },
  'notification-configurations.create, the state': {
    prepare: [state],
    ask: ask('POST', `${WORKSPACE}/notification-configurations`, () => ({
      data: {
        type: 'notification-configurations',
        attributes: {
          name: 'team',
          enabled: false,
          'destination-type': 'generic',
          url: 'https://example.com/',
        },
      },
    })),
    proof: 'changed',
  },
  'notification-configurations.read, a notification': {
    prepare: [state, notification],
    ask: ask('GET', `notification-configurations/${NOTIFICATION}`),
    proof: { text: NOTIFICATION },
  },
  'notification-configurations.update, a notification': {
    prepare: [state, notification],
    ask: ask(
      'PATCH',
      `notification-configurations/${NOTIFICATION}`,
      document('notification-configurations', { name: 'others' }),
    ),
    proof: 'changed',
  },
  'notification-configurations.delete, a notification': {
    prepare: [state, notification],
    ask: ask('DELETE', `notification-configurations/${NOTIFICATION}`),
    proof: 'changed',
  },
  'notification-configurations.verify, a notification': {
    prepare: [state, notification],
    ask: ask('POST', `notification-configurations/${NOTIFICATION}/actions/verify`),
    proof: 'changed',
  },
  'plans.read, a plan': tells(`plans/${PLAN}`, '"log-read-url"'),
  'plans.read-of-run, a plan': tells(`runs/${RUN}/plan`, '"log-read-url"'),
  'plans.read-json, a plan': tells(`plans/${PLAN}/json-output`, '"format_version"'),
  'plans.read-redacted, a plan': tells(`plans/${PLAN}/json-output-redacted`, '"plan_format_version"'),
  'applies.read, an apply': tells(`applies/${APPLY}`, '"log-read-url"'),
  'applies.read-of-run, an apply': tells(`runs/${RUN}/apply`, '"log-read-url"'),
};

const askApi =
  (method: string, path: string, body?: (scene: Scene) => object): Trial['ask'] =>
  (scene): Promise<Answer> =>
    scene.house.ask(method, `/api/v1${withIds(path, scene)}`, {
      as: scene.pair,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body(scene)) }),
    });

/** How the routes of the API are tried that are about runs. */
export const RUN_API_TRIALS: Readonly<Record<string, Trial>> = {
  'list-runs, the runs': {
    prepare: [state, planned],
    ask: askApi('GET', '/runs?address=acme/net/app@dev'),
    proof: { text: RUN },
  },
  'run-again, a state': {
    prepare: [state, configuration, applied],
    ask: askApi('POST', '/runs?address=acme/net/app@dev', () => ({})),
    proof: 'changed',
  },
  'show-run, a run': { prepare: [state, planned], ask: askApi('GET', `/runs/${RUN}`), proof: { text: RUN } },
  'act-on-run, a run': {
    prepare: [state, planned],
    ask: askApi('POST', `/runs/${RUN}`, () => ({ action: 'discard' })),
    proof: 'changed',
  },
  'show-run-log, a log': {
    prepare: [state, planned],
    ask: askApi('GET', `/run-log?run=${RUN}&phase=plan`),
    proof: { text: '"ended"' },
  },
  'list-drift, each state': {
    prepare: [state, drifted],
    ask: askApi('GET', '/drift'),
    proof: { text: '"acme/net/app@dev"' },
  },
  'list-drift, a project': {
    prepare: [state, drifted],
    ask: askApi('GET', '/drift?project=acme'),
    proof: { status: 200 },
  },
  'show-drift, the state': {
    prepare: [state, drifted],
    ask: askApi('GET', '/state/drift?address=acme/net/app@dev'),
    proof: { text: '"drifted":true' },
  },
  'schedule-drift, the state': {
    prepare: [state],
    ask: askApi('POST', '/state/drift?address=acme/net/app@dev', () => ({ schedule: 'every 24h' })),
    proof: 'changed',
  },
  'check-drift, the state': {
    prepare: [state, configuration, applied],
    ask: askApi('POST', '/state/drift-check?address=acme/net/app@dev'),
    proof: 'changed',
  },
  'list-run-triggers, the state': {
    perAsker: true,
    prepare: [state, trigger],
    ask: askApi('GET', '/run-triggers?address=acme/net/app@dev'),
    proof: { text: TRIGGER },
  },
  'create-run-trigger, the state whose runs are made': {
    prepare: [state, source],
    ask: askApi('POST', '/run-triggers', () => ({
      address: 'acme/net/app@dev',
      after: formatAddress(SOURCE),
    })),
    proof: 'changed',
  },
  'remove-run-trigger, a trigger': {
    prepare: [state, trigger],
    ask: askApi('DELETE', `/run-triggers/${TRIGGER}`),
    proof: 'changed',
  },
  'list-agent-pools, a project': {
    prepare: [state, pool],
    ask: askApi('GET', '/agent-pools?project=acme'),
    proof: { text: '"office"' },
  },
  'create-agent-pool, a project': {
    prepare: [state],
    ask: askApi('POST', '/agent-pools', () => ({ project: 'acme', name: 'office' })),
    proof: 'changed',
  },
  'show-agent-pool, a pool': {
    prepare: [state, pool],
    ask: askApi('GET', '/agent-pools/POOL'),
    proof: { text: '"tokens"' },
  },
  'remove-agent-pool, a pool': {
    prepare: [state, pool],
    ask: askApi('DELETE', '/agent-pools/POOL'),
    proof: 'changed',
  },
  'create-agent-token, a pool': {
    prepare: [state, pool],
    ask: askApi('POST', '/agent-tokens', ({ poolId }) => ({ pool: poolId })),
    proof: 'changed',
  },
  'revoke-agent-token, a token': {
    prepare: [state, pool],
    ask: askApi('DELETE', '/agent-tokens/TOKEN'),
    proof: 'changed',
  },
  'show-execution, the state': {
    prepare: [state],
    ask: askApi('GET', '/execution?address=acme/net/app@dev'),
    proof: { text: '"mode"' },
  },
  'set-execution, the state': {
    prepare: [state],
    ask: askApi('POST', '/execution?address=acme/net/app@dev', () => ({ mode: 'local' })),
    proof: 'changed',
  },
};
