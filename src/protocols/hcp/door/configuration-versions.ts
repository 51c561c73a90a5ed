import { isError, emptyReply, readOne, reply, type Answer, type Rows } from './call.ts';
import { notFound, refused } from './errors.ts';
import { withRuns, type RunCall } from './run-calls.ts';
import { describeConfiguration } from './run-view.ts';
import { addressOf } from './workspace-of.ts';

/** The configurations that runs are made of. */
export const CONFIGURATION_ROWS: Rows = {
  'configuration-versions.create': {
    method: 'POST',
    path: 'workspaces/:workspace/configuration-versions',
    run: withRuns(createConfiguration),
  },
  'configuration-versions.read': {
    method: 'GET',
    path: 'configuration-versions/:configuration',
    run: withRuns(readConfiguration),
  },
  'configuration-versions.download': {
    method: 'GET',
    path: 'configuration-versions/:configuration/download',
    run: withRuns(downloadConfiguration),
  },
};

async function createConfiguration(call: RunCall): Promise<Answer> {
  const address = addressOf(call);
  if (isError(address)) return address;
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { speculative, provisional } = sent.attributes;
  const answer = await call.runs.configurations.create(call.caller, address, {
    speculative: speculative === true,
    provisional: provisional === true,
  });
  if (answer.type !== 'created') return refused(answer);
  const now = await call.house.now();
  return reply(call, describeConfiguration(call, answer.configuration, now), { status: 201 });
}

async function readConfiguration(call: RunCall): Promise<Answer> {
  const id = call.params['configuration'] ?? '';
  const answer = await call.runs.configurations.show(call.caller, id);
  if (answer.type === 'absent') return notFound(`configuration version "${id}"`);
  if (answer.type !== 'shown') return refused(answer);
  return reply(call, describeConfiguration(call, answer.configuration, await call.house.now()));
}

async function downloadConfiguration(call: RunCall): Promise<Answer> {
  const id = call.params['configuration'] ?? '';
  const answer = await call.runs.configurations.show(call.caller, id);
  if (answer.type === 'absent') return notFound(`configuration version "${id}"`);
  if (answer.type !== 'shown') return refused(answer);
  const archive = await call.runs.configurations.archive(id);
  if (archive === null) return emptyReply(call);
  return {
    operation: call.operation,
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' },
    body: archive,
  };
}
