import { isRole, patternProblem, ROLES, type Grant } from '../../core/grant.ts';
import type { NewCredentialShape } from '../../server/api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { readDuration } from '../duration.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { HouseClient } from '../house/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../house/connection.ts';
import { text, texts } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Makes a credential that opens every door of the house. Its secret is told this once.',
  args: [{ name: 'name', help: 'what locks, versions and the audit log call it', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    grant: texts(
      'ROLE:PATTERN',
      `what it may do, and where: ${ROLES.join(', ')}; app/net/*@dev, or * for all`,
      {
        environment: false,
      },
    ),
    expires: text('TIME', 'valid for so long: 30d; without it, until it is revoked', { environment: false }),
  },
  examples: [
    { line: 'statehouse credential create ci --grant "writer:app/*"', says: 'for a pipeline' },
    {
      line: 'statehouse credential create ann --grant "reader:*" --grant "operator:app/*" --expires 30d',
      says: 'reads everything, and may break locks in one project',
    },
  ],
  run: async ({ args: [name], options, terminal, stopped }) => {
    const grants = options.grant.map(readGrant);
    if (grants.length === 0)
      throw wrongUse('a credential needs a grant', 'Say what it may do: --grant "writer:app/*".');
    const { expires } = options;
    const expiresAt =
      expires === undefined ? null : new Date(Date.now() + readDuration(expires)).toISOString();
    const house = new HouseClient(readConnection(options), stopped);
    const body = { name, grants, expiresAt };
    const made = await house.ask<NewCredentialShape>('POST', '/credentials', { body });
    if (terminal.json) {
      terminal.result(made);
      return DONE;
    }
    terminal.say(`id      ${made.id}`);
    terminal.say(`secret  ${made.secret}`);
    terminal.say();
    terminal.say(`export STATEHOUSE_CREDENTIAL=${made.id}.${made.secret}`);
    terminal.note(
      '\nThe secret is shown this once. "statehouse config" prints what each backend needs of it.',
    );
    return DONE;
  },
});

/** Reads `writer:app/net/*@dev`. */
function readGrant(given: string): Grant {
  const colon = given.indexOf(':');
  const role = given.slice(0, Math.max(colon, 0));
  const pattern = given.slice(colon + 1);
  if (!isRole(role))
    throw wrongUse(`--grant: "${given}" names no role`, `Write ROLE:PATTERN; roles are ${ROLES.join(', ')}.`);
  const problem = patternProblem(pattern);
  if (problem !== null) throw wrongUse(`--grant: ${problem}`);
  return { role, pattern };
}
