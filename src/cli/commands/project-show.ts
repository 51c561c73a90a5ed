import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { showProject } from '../server/project-table.ts';

export const command: Command = defineCommand({
  description:
    'Shows how much history a project keeps, how much it may keep in all, and how much that is now.',
  args: [{ name: 'project', help: 'the name of the project', required: true }],
  options: CONNECTION_OPTIONS,
  examples: [{ line: 'statehouse project show app', says: 'its settings and what it keeps' }],
  run: async ({ args: [project = ''], options, terminal, stopped }) => {
    const house = new HouseClient(readConnection(options), stopped);
    showProject(terminal, await house.ask('show-project', { path: { project } }));
    return DONE;
  },
});
