import { projectProblem } from '../../../core/address.ts';
import type { House } from '../../../house/house.ts';
import { given } from '../parameters.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { refusalReply } from '../refusal-reply.ts';
import { badRequest } from '../../../protocols/wire/json-reply.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import type { ProjectShape } from '../../../api/shapes/house.ts';
import { PROJECT, PROJECT_SETTINGS, PROJECTS, toQuotaShape, toRetentionShape } from '../shapes/house.ts';

/** What is set for projects. A project needs no making: it is there with its first state. */
export const PROJECT_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-projects',
    summary: 'Lists the projects that have settings of their own.',
    needs: 'reader; only projects in which the caller may read something are listed',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The projects, by name.', schema: PROJECTS },
    refusals: [],
    run: async ({ house, caller, operation }) => {
      const answer = await house.projects.listVisible(caller);
      if (answer.type !== 'projects') return refusalReply(operation, null, answer);
      const projects = await Promise.all(answer.projects.map(({ name }) => shapeOf(house, name)));
      return jsonReply(operation, { projects });
    },
  }),
  defineRoute({
    operation: 'show-project',
    summary: 'Shows the settings of a project, whether or not it has a state yet.',
    needs:
      'reader of something in the project, by a grant that names or covers it or by something that is there',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'Its settings.', schema: PROJECT },
    refusals: [403],
    run: async ({ house, caller, operation, name }) => {
      const problem = projectProblem(name);
      if (problem !== null) return badRequest(operation, problem);
      if (!(await house.projects.mayKnow(caller, name))) {
        const message = `${caller.identity.subject} may not read anything in ${name}`;
        return problemReply(operation, 'forbidden', { status: 403, message });
      }
      return jsonReply(operation, await shapeOf(house, name));
    },
  }),
  defineRoute({
    operation: 'set-project',
    summary:
      'Sets how much history a project keeps and how much it may keep in all, from the next write on, how long no version may be removed, and whether new states must be announced.',
    needs: 'admin of the server',
    query: NO_QUERY,
    body: PROJECT_SETTINGS,
    answer: { status: 200, says: 'Its settings now.', schema: PROJECT },
    refusals: [403],
    run: async ({ house, caller, operation, name, body }) => {
      const problem = projectProblem(name);
      if (problem !== null) return badRequest(operation, problem);
      const answer = await house.projects.set(caller, name, given(body));
      if (answer.type !== 'set') return refusalReply(operation, null, answer);
      return jsonReply(operation, await shapeOf(house, name));
    },
  }),
];

async function shapeOf(house: House, project: string): Promise<ProjectShape> {
  const record = await house.projects.find(project);
  return {
    project,
    announceFirst: record?.announceFirst === true,
    retainMode: record?.retainMode ?? 'governance',
    set: toRetentionShape(await house.projects.retentionSetFor(project)),
    effective: toRetentionShape(await house.projects.retentionOf(project)),
    quota: {
      set: toQuotaShape(await house.projects.quotasSetFor(project)),
      effective: toQuotaShape(await house.projects.quotasOf(project)),
      used: await house.projects.usageOf(project),
    },
  };
}
