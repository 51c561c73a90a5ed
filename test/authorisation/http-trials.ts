import { HTTP_ALIAS } from '../../src/protocols/http/layout.ts';
import { sampleLock } from '../support/sample-state.ts';
import { newLockId, otherLock, ownLock, SECRET, state, stateText, type Scene, type Trial } from './scene.ts';

const AT = '/http/acme/net/app?workspace=dev';

const ask =
  (method: string, body?: (scene: Scene) => string, more = ''): Trial['ask'] =>
  (scene) =>
    scene.house.ask(method, AT + more, {
      as: scene.pair,
      ...(body === undefined ? {} : { body: body(scene) }),
    });
const named = ({ lockId }: Scene): string => sampleLock(lockId);

/** How the rows of the http door are tried. */
export const HTTP_TRIALS: Readonly<Record<string, Trial>> = {
  'read, the state': { prepare: [state], ask: ask('GET'), proof: { text: SECRET } },
  'write, the state': { prepare: [state], ask: ask('POST', () => stateText(3)), proof: 'changed' },
  'delete, the state': { prepare: [state], ask: ask('DELETE'), proof: 'changed' },
  'lock, the state': {
    prepare: [state],
    ask: ask('LOCK', () => sampleLock(newLockId())),
    proof: 'changed',
  },
  "unlock, one's own lock": {
    perAsker: true,
    prepare: [ownLock(HTTP_ALIAS)],
    ask: ask('UNLOCK', named),
    proof: 'changed',
  },
  "unlock, another's lock": { prepare: [otherLock(HTTP_ALIAS)], ask: ask('UNLOCK', named), proof: 'changed' },
  'unlock, any lock, by no ID': { prepare: [otherLock(HTTP_ALIAS)], ask: ask('UNLOCK'), proof: 'changed' },
  'show-lock, the lock': {
    prepare: [otherLock(HTTP_ALIAS)],
    ask: ask('GET', undefined, '&lock'),
    proof: { text: ({ lockId }) => lockId },
  },
};
