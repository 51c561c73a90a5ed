import { RUN_API_TRIALS } from './run-trials.ts';
import { API_PREFIX } from '../../src/api/operations.ts';
import { HTTP_ALIAS } from '../../src/protocols/http/layout.ts';
import { basic, type Answer } from '../support/request.ts';
import { LOOK_TRIALS } from './look-trials.ts';
import { SESSION_TRIALS } from './session-trials.ts';
import {
  deleted,
  emptyProject,
  FREEZE,
  frozen,
  otherLock,
  otherRefused,
  ownLock,
  ownRefused,
  projectSettings,
  put,
  SECRET,
  STATE,
  state,
  stateText,
  webhook,
  type Scene,
  type Trial,
} from './scene.ts';

const OF_STATE = 'address=acme/net/app@dev';

const send = (scene: Scene, method: string, target: string, body?: unknown): Promise<Answer> =>
  scene.house.ask(method, API_PREFIX + target, {
    as: scene.pair,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
const ask =
  (method: string, target: string, body?: unknown): Trial['ask'] =>
  (scene) =>
    send(scene, method, target, body);
const forceUnlock: Trial['ask'] = (scene) =>
  send(scene, 'POST', `/state/force-unlock?${OF_STATE}`, { lockId: scene.lockId });

async function version({ house }: Scene, back: number): Promise<number> {
  return (await house.engine.versions(STATE, { limit: back + 1 }))[back]?.number ?? 0;
}

/** Listens, has the state written, and gives back what was told within the scene's patience. */
async function events(scene: Scene): Promise<Answer> {
  const { house, pair, patience } = scene;
  const headers = pair === null ? {} : { authorization: basic(pair) };
  const cut = new AbortController();
  const response = await fetch(`${house.url}${API_PREFIX}/events`, { headers, signal: cut.signal });
  const { status, body } = response;
  let text = '';
  if (status === 200 && body !== null) {
    const timer = setTimeout(() => cut.abort(), patience);
    try {
      let written = false;
      for await (const part of body.pipeThrough(new TextDecoderStream())) {
        text += part;
        if (text.includes('acme/net/app@dev')) break;
        if (!written && text.includes('event: ready')) {
          written = true;
          await put(house, stateText(3));
        }
      }
    } catch (stopped) {
      if (!cut.signal.aborted) throw stopped;
    } finally {
      clearTimeout(timer);
    }
  } else {
    text = await response.text();
  }
  cut.abort();
  return { status, headers: {}, bytes: Buffer.from(text), text };
}

let credentials = 0;
/** A credential that may be revoked. */
const spare = { id: '' };

async function makeSpare({ house }: Scene): Promise<void> {
  credentials += 1;
  spare.id = (await house.credential(`spare-${credentials}`, [{ role: 'reader', pattern: '*' }])).id;
}

/** Two states of which only one is the row's. */
const settings = { prepare: [emptyProject, projectSettings] };
const state200 = (target: string, text: string): Trial => ({
  prepare: [state],
  ask: ask('GET', target),
  proof: { text },
});

const oldVersion = (what: string, text: string): Trial => ({
  prepare: [state],
  ask: async (scene) => send(scene, 'GET', `/state/${what}?${OF_STATE}&version=${await version(scene, 1)}`),
  proof: { text },
});
/** What is asked of refused writes, one's own and others'. */
function refusedTrials(
  whose: "one's own" | "another's",
  prepare: Trial['prepare'],
): Readonly<Record<string, Trial>> {
  const perAsker = whose === "one's own" ? ({ perAsker: true } as const) : {};
  const one =
    (method: string, path: string): Trial['ask'] =>
    (scene) =>
      send(scene, method, `${path}?${OF_STATE}&id=${scene.refusedId}`);
  const several = whose === "one's own" ? whose : "others'";
  return {
    [`list-refused, ${several} refused writes`]: {
      ...perAsker,
      prepare,
      ask: ask('GET', `/refused?${OF_STATE}`),
      proof: { text: ({ refusedId }) => refusedId },
    },
    [`download-refused, ${whose} refused write`]: {
      ...perAsker,
      prepare,
      ask: one('GET', '/refused/content'),
      proof: { text: SECRET },
    },
    [`drop-refused, ${whose} refused write`]: {
      ...perAsker,
      prepare,
      ask: one('DELETE', '/refused'),
      proof: 'changed',
    },
  };
}

/** How the rows of the API are tried. */
export const API_TRIALS: Readonly<Record<string, Trial>> = {
  ...RUN_API_TRIALS,
  'list-states, each state': state200('/states', 'acme/net/app@dev'),
  'show-state, the state': state200(`/state?${OF_STATE}`, '"lineage"'),
  'delete-state, the state': { prepare: [state], ask: ask('DELETE', `/state?${OF_STATE}`), proof: 'changed' },
  'undelete-state, the state': {
    prepare: [deleted],
    ask: ask('POST', `/state/undelete?${OF_STATE}`),
    proof: 'changed',
  },
  'purge-state, the state': {
    prepare: [deleted],
    ask: ask('POST', `/state/purge?${OF_STATE}`),
    proof: 'changed',
  },
  'restore-version, the state': {
    prepare: [state],
    ask: async (scene) =>
      send(scene, 'POST', `/state/restore?${OF_STATE}`, { version: await version(scene, 1) }),
    proof: 'changed',
  },
  'announce-state, the state': {
    prepare: [],
    ask: ask('POST', `/state/announce?${OF_STATE}`),
    proof: 'changed',
  },
  'list-versions, the state': state200(`/state/versions?${OF_STATE}`, '"lineage"'),
  'show-version, the state': {
    prepare: [state],
    ask: async (scene) => send(scene, 'GET', `/state/version?${OF_STATE}&version=${await version(scene, 0)}`),
    proof: { text: '"lineage"' },
  },
  'download-version, the state': state200(`/state/content?${OF_STATE}`, SECRET),
  'download-version, an old version': oldVersion('content', SECRET),
  'show-snapshot, the state': state200(`/state/snapshot?${OF_STATE}`, '"outputs"'),
  'show-snapshot, an old version': oldVersion('snapshot', '"outputs"'),
  'show-outputs, the state': state200(`/state/outputs?${OF_STATE}`, '"said"'),
  'show-outputs, sensitive values': state200(`/state/outputs?${OF_STATE}`, SECRET),
  'diff-versions, the state': {
    prepare: [state],
    ask: async (scene) => send(scene, 'GET', `/state/diff?${OF_STATE}&from=${await version(scene, 1)}`),
    proof: { text: '"same"' },
  },
  ...refusedTrials("one's own", [ownRefused]),
  ...refusedTrials("another's", [otherRefused]),
  'list-locks, each lock': {
    prepare: [otherLock(HTTP_ALIAS)],
    ask: ask('GET', '/locks'),
    proof: { text: ({ lockId }) => lockId },
  },
  'show-lock, the lock': {
    prepare: [otherLock(HTTP_ALIAS)],
    ask: ask('GET', `/state/lock?${OF_STATE}`),
    proof: { text: ({ lockId }) => lockId },
  },
  "force-unlock, one's own lock": {
    perAsker: true,
    prepare: [ownLock(HTTP_ALIAS)],
    ask: forceUnlock,
    proof: 'changed',
  },
  "force-unlock, another's lock": { prepare: [otherLock(HTTP_ALIAS)], ask: forceUnlock, proof: 'changed' },
  'list-freezes, each freeze': {
    prepare: [frozen],
    ask: ask('GET', '/freezes'),
    proof: { text: '"release week"' },
  },
  'freeze, what the pattern covers': {
    prepare: [],
    ask: ask('POST', '/freezes', { ...FREEZE, until: new Date(FREEZE.until).toISOString() }),
    proof: 'changed',
  },
  'unfreeze, what the pattern covers': {
    prepare: [frozen],
    ask: ask('DELETE', `/freezes?pattern=${FREEZE.pattern}`),
    proof: 'changed',
  },
  'events, each event': { prepare: [state], ask: events, proof: { text: 'acme/net/app@dev' } },
  'list-projects, each project': { ...settings, ask: ask('GET', '/projects'), proof: { text: '"acme"' } },
  'show-project, a project': {
    ...settings,
    ask: ask('GET', '/projects/acme'),
    proof: { text: '"keepVersions":7' },
  },
  'set-project, a project': {
    prepare: [emptyProject],
    ask: ask('PATCH', '/projects/acme', { keepVersions: 5 }),
    proof: 'changed',
  },
  'list-credentials, all credentials': {
    prepare: [],
    ask: ask('GET', '/credentials'),
    proof: { text: '"credentials"' },
  },
  'create-credential, a credential': {
    prepare: [],
    ask: (scene) => {
      credentials += 1;
      const grants = [{ role: 'admin', pattern: '*' }];
      return send(scene, 'POST', '/credentials', { name: `made-${credentials}`, grants });
    },
    proof: 'changed',
  },
  'change-credential, a credential': {
    prepare: [makeSpare],
    ask: (scene) =>
      send(scene, 'PATCH', `/credentials/${spare.id}`, { grants: [{ role: 'admin', pattern: '*' }] }),
    proof: 'changed',
  },
  'revoke-credential, a credential': {
    prepare: [makeSpare],
    ask: (scene) => send(scene, 'DELETE', `/credentials/${spare.id}`),
    proof: 'changed',
  },
  'list-webhooks, all webhooks': {
    prepare: [webhook],
    ask: ask('GET', '/webhooks'),
    proof: { text: '"pager"' },
  },
  'set-webhook, a webhook': {
    prepare: [],
    ask: ask('POST', '/webhooks', { name: 'pager', url: 'http://127.0.0.1:9/hook' }),
    proof: 'changed',
  },
  'test-webhook, a webhook': {
    prepare: [webhook],
    ask: ask('POST', '/webhooks/test', { name: 'pager' }),
    proof: { text: '"ok":false' },
  },
  'remove-webhook, a webhook': {
    prepare: [webhook],
    ask: ask('DELETE', '/webhooks/pager'),
    proof: 'changed',
  },
  ...SESSION_TRIALS,
  ...LOOK_TRIALS,
  'whoami, oneself': { prepare: [], ask: ask('GET', '/whoami'), proof: { text: '"subject"' } },
  'info, the server': { prepare: [], ask: ask('GET', '/info'), proof: { text: '"engine"' } },
  'list-audit, the server': { prepare: [], ask: ask('GET', '/audit'), proof: { text: '"records"' } },
  'follow-audit, the server': { prepare: [], ask: ask('GET', '/audit/follow'), proof: { text: '"records"' } },
  'follow-audit, the state': {
    prepare: [state],
    ask: ask('GET', `/audit/follow?${OF_STATE}`),
    proof: { text: '"records"' },
  },
  'show-audit-head, the server': {
    prepare: [],
    ask: ask('GET', '/audit/head'),
    proof: { text: '"head"' },
  },
  'list-audit, the state': {
    prepare: [state],
    ask: ask('GET', `/audit?${OF_STATE}`),
    proof: { text: '"records"' },
  },
  'rotate-key, the server': { prepare: [], ask: ask('POST', '/rotate-key'), proof: { text: '"sealedAnew"' } },
  'reencrypt, the server': {
    prepare: [],
    ask: ask('POST', '/rotate-key/reencrypt'),
    proof: { text: '"damaged"' },
  },
  // The memory engine makes none, and says so to whoever may ask.
  'backup, the server': { prepare: [], ask: ask('POST', '/backup'), proof: { status: 409 } },
  'check, the server': { prepare: [], ask: ask('POST', '/check'), proof: { status: 409 } },
};

/** How the rows of what is asked beside the API are tried. */
export const HEALTH_TRIALS: Readonly<Record<string, Trial>> = {
  'metrics, the server': {
    prepare: [],
    ask: ({ house, pair }) => house.ask('GET', '/metrics', { as: pair }),
    proof: { text: 'statehouse_' },
  },
};
