import { formatAddress } from '../../src/core/address.ts';
import { API_PREFIX } from '../../src/api/operations.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { eventually } from '../support/eventually.ts';
import { alsoGranted, put, STATE, state, stateText, type Scene, type Trial } from './scene.ts';

const OF_STATE = 'address=acme/net/app@dev';

const get =
  (target: string): Trial['ask'] =>
  ({ house, pair }) =>
    house.ask('GET', `${API_PREFIX}${target}`, { as: pair });

/** The state, once it can be found. */
async function indexed(scene: Scene): Promise<void> {
  await state(scene);
  const { engine } = scene.house;
  const name = formatAddress(STATE);
  const { record } = await engine.world(STATE);
  const isThere = async (): Promise<boolean> =>
    (await engine.indexRows([name]))[0]?.version === record.head?.number;
  await eventually('it is in the index', isThere);
}

/** A state that reads the state, once that is known. */
async function readElsewhere({ house }: Scene): Promise<void> {
  const config = { address: `${house.url}/http/acme/net/app?workspace=dev` };
  const instances = [{ schema_version: 0, attributes: { backend: 'http', config, workspace: null } }];
  const provider = 'provider["terraform.io/builtin/terraform"]';
  const source = { mode: 'data', type: 'terraform_remote_state', name: 'app', provider, instances };
  const text = JSON.stringify({ ...(JSON.parse(stateText(1)) as object), resources: [source] });
  const address = { project: 'zeta', key: 'reader', workspace: 'default' };
  await put(house, text, address);
  const { record } = await house.engine.world(address);
  const isThere = async (): Promise<boolean> =>
    (await house.engine.indexRows(['zeta/reader']))[0]?.version === record.head?.number;
  await eventually('it is in the index', isThere);
}

/** How what people look at besides states is tried. */
export const LOOK_TRIALS: Readonly<Record<string, Trial>> = {
  'list-changes, the state': {
    prepare: [state],
    ask: get(`/state/changes?${OF_STATE}`),
    proof: { text: '"outputs":1' },
  },
  'list-blocks, the service': {
    prepare: [],
    ask: get(`/state/blocks?${OF_STATE}`),
    proof: { text: 'backend \\"http\\"' },
  },
  'list-rights, oneself': { prepare: [], ask: get(`/rights?${OF_STATE}`), proof: { text: '"actions"' } },
  'list-rights, one credential': {
    prepare: [],
    ask: get(`/rights?${OF_STATE}&credential=${TEST_ADMIN.id}`),
    proof: { text: '"actions"' },
  },
  'list-rights, all credentials': {
    prepare: [],
    ask: get(`/rights?${OF_STATE}&all=true`),
    proof: { text: TEST_ADMIN.id },
  },
  'explore, each state': { prepare: [indexed], ask: get('/explore'), proof: { text: 'acme/net/app@dev' } },
  'explore, any state': { prepare: [], ask: get('/explore'), proof: { text: '"states"' } },
  'export-explored, each state': {
    prepare: [indexed],
    ask: get('/explore/csv'),
    proof: { text: 'acme/net/app@dev' },
  },
  'export-explored, any state': { prepare: [], ask: get('/explore/csv'), proof: { text: 'state,version' } },
  'list-holds, the lock': {
    prepare: [state],
    ask: get(`/state/holds?${OF_STATE}`),
    proof: { text: '"holds"' },
  },
  'show-graph, the state': {
    prepare: [state],
    ask: get(`/graph?${OF_STATE}`),
    proof: { text: '"edges"' },
  },
  'show-graph, what reads the state': {
    perAsker: true,
    prepare: [readElsewhere, alsoGranted({ role: 'reader', pattern: 'zeta/reader' })],
    ask: get('/graph?project=zeta'),
    proof: { text: 'acme/net/app@dev' },
  },
  'show-numbers, each state': {
    prepare: [state],
    ask: get('/numbers'),
    proof: { text: '"acme/net/app@dev"' },
  },
  // Who may not even read is refused before, and so has another grant here.
  'show-numbers, what a project keeps': {
    perAsker: true,
    prepare: [state, alsoGranted({ role: 'reader', pattern: 'zeta/reader' })],
    ask: get('/numbers'),
    proof: { text: '"project":"acme"' },
  },
  'reindex, the server': {
    prepare: [],
    ask: ({ house, pair }) => house.ask('POST', `${API_PREFIX}/reindex`, { as: pair }),
    proof: { text: '"reindexing"' },
  },
  'show-house, the server': { prepare: [], ask: get('/house'), proof: { text: '"masterKeySeals"' } },
};
