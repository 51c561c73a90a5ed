import { ROLES } from '../../core/grant.ts';
import { defineCommand, type Command } from '../command.ts';
import { readDuration } from '../../core/duration.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { readGrant } from '../server/read-grant.ts';
import { accepted, text, texts } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Creates a credential for all protocols of a server. Its secret is shown only once.',
  args: [{ name: 'name', help: 'its name in locks, versions and the audit log', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    grant: texts(
      'ROLE:PATTERN',
      `what it may do, and where: a role (${ROLES.join(', ')}) and a pattern (app/net/*@dev, or * for all)`,
      {
        environment: false,
        completes: 'role',
      },
    ),
    expires: text('TIME', 'valid for TIME, for example 30d; the default is until it is revoked', {
      environment: false,
    }),
  },
  examples: [
    { line: 'statehouse credential create ci --grant "writer:app/*"', says: 'for a pipeline' },
    {
      line: 'statehouse credential create ann --grant "reader:*" --grant "operator:app/*" --expires 30d',
      says: 'reads everything, and may break locks in one project',
    },
  ],
  run: async ({ args: [name = ''], options, terminal, stopped }) => {
    const grants = options.grant.map(readGrant);
    if (grants.length === 0)
      throw wrongUse(
        '--grant is missing: a credential needs at least one grant',
        'Write for example --grant "writer:app/*".',
      );
    const { expires } = options;
    const expiresAt =
      expires === undefined ? null : new Date(Date.now() + accepted(readDuration(expires))).toISOString();
    const house = new HouseClient(readConnection(options), stopped);
    const made = await house.ask('create-credential', { body: { name, grants, expiresAt } });
    if (terminal.json) {
      terminal.result(made);
      return DONE;
    }
    terminal.say(`id      ${made.id}`);
    terminal.say(`secret  ${made.secret}`);
    terminal.say();
    terminal.say(`export STATEHOUSE_CREDENTIAL=${made.id}.${made.secret}`);
    terminal.note('The secret is shown only once. "statehouse config" prints the settings of each backend.');
    return DONE;
  },
});
