import type { ProjectSettings } from '../../api/shapes/house.ts';
import { mapQuotas, QUOTAS, type Quota } from '../../core/quota.ts';
import { readWholeNumber, readWord } from '../../core/read-value.ts';
import { RETENTION_MODES, type RetentionMode } from '../../core/retained.ts';
import { mapLimits, RETENTION_LIMITS, type RetentionLimit } from '../../core/retention.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { accepted, flagName, text, type OptionSpec } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { showProject } from '../server/project-table.ts';

/** Takes a setting of the project back. */
const DEFAULT = 'default';

/** What may be set, and within what. */
const BOUNDS: Readonly<Record<RetentionLimit | Quota, { readonly from: number; readonly to: number }>> = {
  ...mapLimits((limit) => ({ from: RETENTION_LIMITS[limit].min, to: RETENTION_LIMITS[limit].max })),
  ...mapQuotas((quota) => ({ from: 1, to: QUOTAS[quota].max })),
};

export const command: Command = defineCommand({
  description: `Sets how much history a project keeps, how much it may keep in all, how long no version may be removed, and whether new states in it must be announced; "${DEFAULT}" takes a setting back, so that the server's holds. For admins of the server.`,
  args: [{ name: 'project', help: 'the name of the project', required: true }],
  options: {
    ...CONNECTION_OPTIONS,
    ...mapLimits((limit) => option(RETENTION_LIMITS[limit].placeholder, RETENTION_LIMITS[limit].says)),
    ...mapQuotas((quota) =>
      option(QUOTAS[quota].placeholder, `keep at most so many ${QUOTAS[quota].counts}`),
    ),
    retainMode: text(
      `${RETENTION_MODES.join('|')}|${DEFAULT}`,
      'who may remove a version that --retain-at-least retains: an admin who says so, or no one',
      { environment: false },
    ),
    announceFirst: text(
      'on|off',
      'refuse the first write of a state by an apply, unless "statehouse announce" announced it',
      { environment: false },
    ),
  },
  examples: [
    { line: 'statehouse project set app --quota-states 500', says: 'at most 500 states in app' },
    { line: 'statehouse project set app --quota-states default', says: 'as many as the server says' },
    {
      line: 'statehouse project set app --retain-at-least 365 --retain-mode compliance',
      says: 'no version is removed in its first year',
    },
    {
      line: 'statehouse project set app --announce-first on',
      says: 'while states are moved here: an apply that comes too early creates nothing twice',
    },
  ],
  run: async ({ args: [project = ''], options, terminal, stopped }) => {
    const { announceFirst, retainMode } = options;
    const given: (readonly [string, number | boolean | string | null])[] = (
      Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]
    ).flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, read(name, value)] as const];
    });
    if (announceFirst !== undefined) given.push(['announceFirst', readSwitch(announceFirst)]);
    if (retainMode !== undefined) given.push(['retainMode', readMode(retainMode)]);
    if (given.length === 0)
      throw wrongUse('nothing is set', `Give for example ${flagName('quotaStates')} 500.`);
    const house = new HouseClient(readConnection(options), stopped);
    const body: ProjectSettings = Object.fromEntries(given);
    showProject(terminal, await house.ask('set-project', { path: { project }, body }));
    return DONE;
  },
});

function option(placeholder: string, help: string): OptionSpec<string | undefined> {
  return text(`${placeholder}|${DEFAULT}`, help, { environment: false });
}

function readMode(value: string): RetentionMode | null {
  return value === DEFAULT ? null : accepted(readWord(value, RETENTION_MODES));
}

function readSwitch(value: string): boolean {
  return accepted(readWord(value, ['on', 'off'])) === 'on';
}

function read(name: keyof typeof BOUNDS, value: string): number | null {
  if (value === DEFAULT) return null;
  return accepted(readWholeNumber(value, BOUNDS[name]));
}
