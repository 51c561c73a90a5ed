import { ACCESS_COMMANDS } from './catalogue/access.ts';
import type { CatalogueEntry, Section } from './catalogue/entry.ts';
import { FOLDER_COMMANDS } from './catalogue/folder.ts';
import { RUN_COMMANDS } from './catalogue/runs.ts';
import { SELF_COMMANDS } from './catalogue/self.ts';
import { SERVER_COMMANDS } from './catalogue/server.ts';
import { STATE_COMMANDS } from './catalogue/state.ts';
import { UPKEEP_COMMANDS } from './catalogue/upkeep.ts';

export type { CatalogueEntry } from './catalogue/entry.ts';

export const SECTIONS: readonly (readonly [Section, string])[] = [
  ['state', 'A state, by its address on a server or by its Terraform folder; also said "statehouse state …"'],
  ['folder', 'In a Terraform folder, on whatever backend it has'],
  ['server', 'A server, and what is on it'],
  ['runs', 'Plans and applies that a server executes'],
  ['access', 'Credentials, projects, the audit log and webhooks of a server'],
  ['upkeep', 'The data and the keys of a server'],
  ['self', 'The command itself'],
];

/** Every command, in the order of the help. Its file is imported only when it runs or its own help is asked for. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  ...STATE_COMMANDS,
  ...FOLDER_COMMANDS,
  ...SERVER_COMMANDS,
  ...RUN_COMMANDS,
  ...ACCESS_COMMANDS,
  ...UPKEEP_COMMANDS,
  ...SELF_COMMANDS,
];
