import type { Address } from '../../../core/address.ts';
import type { Trigger } from '../../../runs/triggers/triggers.ts';
import { related, toOne, type Resource } from '../json-api.ts';
import { readWorkspaceId, workspaceId, workspaceName } from '../layout.ts';
import { emptyReply, includes, isError, pageOf, readOne, reply, type Answer, type Rows } from './call.ts';
import { invalid, notFound, refused } from './errors.ts';
import { withRuns, type RunCall } from './run-calls.ts';
import { addressOf, findWorkspace } from './workspace-of.ts';
import { describeWorkspace } from './workspace-view.ts';

/** Runs after an apply of another workspace: go-tfe's RunTriggers. */
export const RUN_TRIGGER_ROWS: Rows = {
  'run-triggers.list': {
    method: 'GET',
    path: 'workspaces/:workspace/run-triggers',
    run: withRuns(listTriggers),
  },
  'run-triggers.create': {
    method: 'POST',
    path: 'workspaces/:workspace/run-triggers',
    run: withRuns(createTrigger),
  },
  'run-triggers.read': { method: 'GET', path: 'run-triggers/:trigger', run: withRuns(readTrigger) },
  'run-triggers.delete': { method: 'DELETE', path: 'run-triggers/:trigger', run: withRuns(deleteTrigger) },
};

async function listTriggers(call: RunCall): Promise<Answer> {
  const address = addressOf(call);
  if (isError(address)) return address;
  const which = call.query.get('filter[run-trigger][type]');
  if (which !== 'inbound' && which !== 'outbound')
    return invalid('invalid filter[run-trigger][type]: expected inbound or outbound');
  const answer = await call.runs.triggers.list(call.caller, address, which);
  if (answer.type !== 'triggers') return refused(answer);
  const paged = pageOf(call, answer.triggers);
  if (isError(paged)) return paged;
  const wanted = (['workspace', 'sourceable'] as const).filter((name) => includes(call, name));
  const addresses = paged.items.flatMap(({ source, target }) =>
    wanted.map((name) => (name === 'workspace' ? target : source)),
  );
  const included = await describedAll(call, addresses);
  return reply(call, paged.items.map(describeTrigger), { page: paged.page, included });
}

async function createTrigger(call: RunCall): Promise<Answer> {
  const address = addressOf(call);
  if (isError(address)) return address;
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const [sourceable] = related(sent, 'sourceable') ?? [];
  const source = sourceable?.id === undefined ? null : readWorkspaceId(sourceable.id);
  if (source === null) return invalid('expected the workspace whose applies count as "sourceable"');
  const answer = await call.runs.triggers.create(call.caller, address, source);
  if (answer.type === 'invalid') return invalid(answer.problem);
  if (answer.type === 'absent') return notFound('one of the workspaces');
  if (answer.type !== 'created') return refused(answer);
  return reply(call, describeTrigger(answer.trigger), { status: 201 });
}

async function readTrigger(call: RunCall): Promise<Answer> {
  const answer = await call.runs.triggers.look(call.caller, call.params['trigger'] ?? '');
  if (answer.type === 'trigger') return reply(call, describeTrigger(answer.trigger));
  return answer.type === 'absent' ? notFound('the run trigger') : refused(answer);
}

async function deleteTrigger(call: RunCall): Promise<Answer> {
  const answer = await call.runs.triggers.remove(call.caller, call.params['trigger'] ?? '');
  if (answer.type === 'removed') return emptyReply(call);
  return answer.type === 'absent' ? notFound('the run trigger') : refused(answer);
}

/** Each of several workspaces once, as far as it is there. */
async function describedAll(call: RunCall, addresses: readonly Address[]): Promise<readonly Resource[]> {
  const byId = new Map(addresses.map((address) => [workspaceId(address), address]));
  const found = await Promise.all([...byId.values()].map((address) => findWorkspace(call, address)));
  return found.flatMap((workspace) => (isError(workspace) ? [] : [describeWorkspace(call, workspace)]));
}

function describeTrigger({ id, source, target, createdAt }: Trigger): Resource {
  return {
    id,
    type: 'run-triggers',
    attributes: {
      'workspace-name': workspaceName(target),
      'sourceable-name': workspaceName(source),
      'created-at': new Date(createdAt).toISOString(),
    },
    relationships: {
      workspace: toOne({ id: workspaceId(target), type: 'workspaces' }),
      sourceable: toOne({ id: workspaceId(source), type: 'workspaces' }),
    },
    links: { self: `/api/v2/run-triggers/${id}` },
  };
}
