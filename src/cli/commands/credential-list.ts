import type { CredentialShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { formatDuration } from '../../core/duration.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { formatAgo } from '../figures.ts';
import { flag } from '../options.ts';

export const command: Command = defineCommand({
  description: 'Lists the credentials of a server, without their secrets.',
  args: [],
  options: {
    ...CONNECTION_OPTIONS,
    all: flag('also list revoked and expired credentials that hold no lock', { environment: false }),
  },
  examples: [
    { line: 'statehouse credential list', says: 'the valid ones, and those that still hold a lock' },
  ],
  run: async ({ options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    const { credentials } = await house.ask('list-credentials', {});
    const shown = credentials.filter(
      (credential) => options.all || isValid(credential) || credential.locks.length > 0,
    );
    if (terminal.json) terminal.result({ credentials: shown });
    else terminal.table(['NAME', 'ID', 'GRANTS', 'MADE', 'VALID'], shown.map(rowOf));
    return DONE;
  },
});

function isValid({ revokedAt, expiresAt }: CredentialShape): boolean {
  return revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.now());
}

function rowOf(credential: CredentialShape): readonly string[] {
  const { name, id, grants, createdAt, expiresAt, graceUntil, revokedAt, locks } = credential;
  return [
    name,
    id,
    grants.map(({ role, pattern }) => `${role}:${pattern}`).join(' '),
    formatAgo(createdAt),
    locks.length === 0
      ? valid()
      : `${valid()}, holds ${locks.length} ${locks.length === 1 ? 'lock' : 'locks'}`,
  ];

  function valid(): string {
    if (revokedAt !== null) return `revoked ${formatAgo(revokedAt)}`;
    if (expiresAt === null) return 'until it is revoked';
    const left = Date.parse(expiresAt) - Date.now();
    if (left > 0) return `for ${formatDuration(left)}`;
    const grace = Date.parse(graceUntil ?? expiresAt) - Date.now();
    const inGrace = locks.length > 0 && grace > 0 ? `, in its grace for ${formatDuration(grace)}` : '';
    return `expired ${formatAgo(expiresAt)}${inGrace}`;
  }
}
