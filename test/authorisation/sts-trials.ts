import type { Operation } from '../../src/protocols/sts/door/detect.ts';
import { SERVICE_OF } from '../../src/protocols/sts/door/operations.ts';
import { askSigned } from '../support/ask-signed.ts';
import type { Trial } from './scene.ts';

const ask =
  (action: Operation, more = ''): Trial['ask'] =>
  ({ house, pair }) =>
    askSigned(
      house.url,
      {
        method: 'POST',
        path: '/',
        service: SERVICE_OF[action],
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `Action=${action}&Version=2011-06-15${more}`,
      },
      pair,
    );

/** How the rows of the STS door are tried. */
export const STS_TRIALS: Readonly<Record<string, Trial>> = {
  'GetCallerIdentity, oneself': { prepare: [], ask: ask('GetCallerIdentity'), proof: { text: '<UserId>' } },
  'AssumeRole, oneself': {
    prepare: [],
    ask: ask('AssumeRole', '&RoleArn=arn:aws:iam::123456789012:role/any&RoleSessionName=run'),
    proof: { text: '<SessionToken>' },
  },
  'GetUser, oneself': { prepare: [], ask: ask('GetUser'), proof: { text: '<UserName>' } },
};
