import { API_PREFIX } from '../../src/api/operations.ts';
import type { Answer } from '../support/request.ts';
import type { Scene, Trial } from './scene.ts';

const SESSION = `${API_PREFIX}/session`;

/** The `Cookie` of somebody who has just signed in. */
async function signIn({ house, pair }: Scene): Promise<{ readonly answer: Answer; readonly cookie: string }> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(pair === null ? {} : { credential: `${pair.id}.${pair.secret}` });
  const answer = await house.ask('POST', SESSION, { as: null, headers, body });
  return { answer, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
}

const inSession =
  (method: string): Trial['ask'] =>
  async (scene) => {
    const { cookie } = await signIn(scene);
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    return scene.house.ask(method, SESSION, { as: null, headers });
  };

/** How signing in at the page is tried. */
export const SESSION_TRIALS: Readonly<Record<string, Trial>> = {
  'create-session, oneself': {
    prepare: [],
    ask: async (scene) => (await signIn(scene)).answer,
    proof: { text: '"idleUntil"' },
  },
  'show-session, oneself': { prepare: [], ask: inSession('GET'), proof: { text: '"idleUntil"' } },
  'end-session, oneself': { prepare: [], ask: inSession('DELETE'), proof: { text: '"ended":true' } },
};
