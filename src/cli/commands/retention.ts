import { RETENTION_LIMITS, type RetentionLimit } from '../../core/retention.ts';
import { readWholeNumber, isProblem } from '../../core/read-value.ts';
import type { ProjectSettings, ProjectShape } from '../../api/shapes/house.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { flagName, spec, type OptionSpec } from '../options.ts';
import { PLACE, PLACE_OPTIONS, servedOr, withPlace } from '../place/place.ts';

/** Takes a project's own setting away, so that the server's holds. */
const DEFAULT_WORD = 'default';

const LIMITS = {
  keepVersions: limit('keepVersions'),
  keepDays: limit('keepDays'),
  minKeepDays: limit('minKeepDays'),
  retainAtLeast: limit('retainAtLeast'),
};

export const command: Command = defineCommand({
  description:
    'Shows how much history the project of a state keeps on a server, and what the project sets itself. With options, sets it, from the next write on; this needs an admin of the server.',
  args: [PLACE],
  options: { ...PLACE_OPTIONS, ...LIMITS },
  examples: [
    { line: 'statehouse retention app/net.tfstate', says: 'of the project app' },
    { line: 'statehouse retention app/net.tfstate --keep-versions 50', says: 'keeps the newest 50' },
    {
      line: 'statehouse retention app/net.tfstate --keep-versions default',
      says: "as the server's setting says",
    },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async (place) => {
      const { options, terminal } = invocation;
      const { house, address } = await servedOr(place, 'say how much history it keeps');
      const path = { project: address.project };
      const { keepVersions, keepDays, minKeepDays, retainAtLeast } = options;
      const body: ProjectSettings = { keepVersions, keepDays, minKeepDays, retainAtLeast };
      const sets = Object.values(body).some((value) => value !== undefined);
      const project = sets
        ? await house.ask('set-project', { path, body })
        : await house.ask('show-project', { path });
      if (terminal.json) terminal.result(project);
      else {
        terminal.note(`Project ${project.project}:`);
        terminal.table(['SETTING', 'VALUE', 'SET BY', 'MEANS'], rowsOf(project));
      }
      return DONE;
    }),
});

function rowsOf({ set, effective }: ProjectShape): readonly (readonly string[])[] {
  const names = Object.keys(RETENTION_LIMITS) as RetentionLimit[];
  return names.map((name) => [
    flagName(name).slice(2),
    effective[name] === null ? '-' : String(effective[name]),
    set[name] === null ? 'server' : 'project',
    RETENTION_LIMITS[name].says,
  ]);
}

function limit(name: RetentionLimit): OptionSpec<number | null | undefined> {
  const { min, max, placeholder, says } = RETENTION_LIMITS[name];
  const read = (given: readonly string[]): number | null | undefined => {
    const last = given.at(-1);
    if (last === undefined) return undefined;
    if (last === DEFAULT_WORD) return null;
    const value = readWholeNumber(last, { from: min, to: max });
    if (isProblem(value)) throw wrongUse(`${value.problem}, or "${DEFAULT_WORD}" for the server's setting`);
    return value;
  };
  const help = `${says.replace(/; 0 (?:keeps all|for no such time)$/, '')}; "${DEFAULT_WORD}" for the server's setting`;
  return spec({ kind: 'value', placeholder, help, read }, { environment: false });
}
