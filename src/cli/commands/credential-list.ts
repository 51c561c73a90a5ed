import type { CredentialShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { formatDuration } from '../duration.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../house/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../house/connection.ts';
import { formatAgo } from '../house/figures.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Lists the credentials of a house, without their secrets.',
  args: [],
  options: { ...CONNECTION_OPTIONS, all: flag('revoked and expired ones too', { environment: false }) },
  examples: [{ line: 'statehouse credential list', says: 'those that may enter' }],
  run: async ({ options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { credentials } = await house.ask('list-credentials', {});
    const shown = credentials.filter((credential) => options.all || isValid(credential));
    if (terminal.json) terminal.result({ credentials: shown });
    else terminal.table(['NAME', 'ID', 'GRANTS', 'MADE', 'VALID'], shown.map(rowOf));
    return DONE;
  },
});

function isValid({ revokedAt, expiresAt }: CredentialShape): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.now());
}

function rowOf(credential: CredentialShape): readonly string[] {
  const { name, id, grants, createdAt, expiresAt, revokedAt } = credential;
  return [
    name,
    id,
    grants.map(({ role, pattern }) => `${role}:${pattern}`).join(' '),
    formatAgo(createdAt),
    valid(),
  ];

  function valid(): string {
    if (revokedAt !== null) return `revoked ${formatAgo(revokedAt)}`;
    if (expiresAt === null) return 'until it is revoked';
    const left = Date.parse(expiresAt) - Date.now();
    return left > 0 ? `for ${formatDuration(left)}` : `expired ${formatAgo(expiresAt)}`;
  }
}
