import { API_PREFIX } from '../../src/api/operations.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { state, type Trial } from './scene.ts';

const OF_STATE = 'address=acme/net/app@dev';

const get =
  (target: string): Trial['ask'] =>
  ({ house, pair }) =>
    house.ask('GET', `${API_PREFIX}${target}`, { as: pair });

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
  'show-house, the server': { prepare: [], ask: get('/house'), proof: { text: '"masterKeySeals"' } },
};
