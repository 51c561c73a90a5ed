import { isRole, patternProblem, ROLES, type Grant } from '../../core/grant.ts';
import { wrongUse } from '../failure.ts';

/** Reads `writer:app/net/*@dev`, as `--grant` has it. @throws {Failure} where it is something else */
export function readGrant(given: string): Grant {
  const colon = given.indexOf(':');
  const role = given.slice(0, Math.max(colon, 0));
  const pattern = given.slice(colon + 1);
  if (!isRole(role))
    throw wrongUse(
      `--grant: invalid grant "${given}": expected ROLE:PATTERN`,
      `Roles are ${ROLES.join(', ')}.`,
    );
  const problem = patternProblem(pattern);
  if (problem !== null) throw wrongUse(`--grant: ${problem}`);
  return { role, pattern };
}
