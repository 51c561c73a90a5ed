import type { Operation } from '../../src/protocols/sts/door/detect.ts';
import { SERVICE_OF } from '../../src/protocols/sts/door/operations.ts';
import { askSigned } from '../support/ask-signed.ts';
import type { Trial } from './scene.ts';

const ask =
  (action: Operation): Trial['ask'] =>
  ({ house, pair }) =>
    askSigned(
      house.url,
      {
        method: 'POST',
        path: '/',
        service: SERVICE_OF[action],
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `Action=${action}&Version=2011-06-15`,
      },
      pair,
    );

/** How the rows of the STS door are tried. */
export const STS_TRIALS: Readonly<Record<string, Trial>> = {
  'GetCallerIdentity, oneself': { prepare: [], ask: ask('GetCallerIdentity'), proof: { text: '<UserId>' } },
  'GetUser, oneself': { prepare: [], ask: ask('GetUser'), proof: { text: '<UserName>' } },
};
