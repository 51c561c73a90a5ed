import { readDuration } from '../../core/duration.ts';
import { ROLES } from '../../core/grant.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { accepted, text, texts } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { findCredential } from '../server/find-credential.ts';
import { readGrant } from '../server/read-grant.ts';

export const command: Command = defineCommand({
  description:
    'Changes what a credential may do, or until when, at once and on all nodes within 2.5 seconds. What it has under way and may not do any more ends. Its secret, its name and its locks stay. --grant says all that it may do from now on; what is not given stays as it is.',
  args: [{ name: 'credential', help: 'its id or its name', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    grant: texts('ROLE:PATTERN', `what it may do, and where: a role (${ROLES.join(', ')}) and a pattern`, {
      environment: false,
      completes: 'role',
    }),
    expires: text('TIME', 'valid for TIME from now, for example 1h, or "never"', { environment: false }),
  },
  examples: [
    { line: 'statehouse credential change ci --grant "reader:app/*"', says: 'it may only read from now on' },
    { line: 'statehouse credential change ci --expires 1h', says: 'and ends in an hour' },
  ],
  run: async ({ args: [wanted], options, terminal, stopped }) => {
    const { expires } = options;
    const grants = options.grant.map(readGrant);
    if (grants.length === 0 && expires === undefined)
      throw wrongUse('nothing is to be changed', 'Give --grant, --expires or both.');
    const expiresAt = expires === undefined ? undefined : endIn(expires);
    const house = new HouseClient(readConnection(options), stopped);
    const { id } = await findCredential(house, wanted);
    const changed = await house.ask('change-credential', {
      path: { id },
      body: {
        ...(grants.length === 0 ? {} : { grants }),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      },
    });
    if (terminal.json) {
      terminal.result(changed);
      return DONE;
    }
    const may = changed.grants.map(({ role, pattern }) => `${role}:${pattern}`).join(' ');
    terminal.say(`${changed.name} (${changed.id}) may now: ${may}`);
    terminal.say(`It ${changed.expiresAt === null ? 'does not expire' : `expires ${changed.expiresAt}`}`);
    return DONE;
  },
});

function endIn(expires: string): string | null {
  if (expires === 'never') return null;
  return new Date(Date.now() + accepted(readDuration(expires))).toISOString();
}
