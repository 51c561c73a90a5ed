import { z } from 'zod';
import type { Address } from '../../../core/address.ts';
import type { RunAction } from '../../../core/runs/status.ts';
import type { RunProgram } from '../../../runs/records.ts';
import type { Run } from '../../../runs/run-book.ts';
import type { RunWanted } from '../../../runs/wanted.ts';
import { related, type Resource, type SentResource } from '../json-api.ts';
import { emptyReply, isError, jsonReply, pageAsked, readOne, reply, type Answer, type Rows } from './call.ts';
import { invalid, notFound, refused, type HcpError } from './errors.ts';
import { atRun, findRun, withRuns, type RunCall } from './run-calls.ts';
import { readWorkspaceId, workspaceName } from '../layout.ts';
import { describePhase, describeRun } from './run-view.ts';
import { addressOf, findWorkspace } from './workspace-of.ts';
import { describeWorkspace } from './workspace-view.ts';

/** Runs: plans and applies that the server executes. */
export const RUN_ROWS: Rows = {
  'runs.create': { method: 'POST', path: 'runs', run: withRuns(createRun) },
  'runs.read': { method: 'GET', path: 'runs/:run', run: withRuns(readRun) },
  'runs.list': { method: 'GET', path: 'workspaces/:workspace/runs', run: withRuns(listRuns) },
  'runs.apply': { method: 'POST', path: 'runs/:run/actions/apply', run: asking('confirm') },
  'runs.discard': { method: 'POST', path: 'runs/:run/actions/discard', run: asking('discard') },
  'runs.cancel': { method: 'POST', path: 'runs/:run/actions/cancel', run: asking('cancel') },
  'runs.force-cancel': {
    method: 'POST',
    path: 'runs/:run/actions/force-cancel',
    run: asking('force-cancel'),
  },
  'run-events.list': {
    method: 'GET',
    path: 'runs/:run/run-events',
    run: atRun((call) => reply(call, [])),
  },
  'runs.queue': { method: 'GET', path: 'organizations/:organization/runs/queue', run: withRuns(readQueue) },
  'organizations.read-capacity': {
    method: 'GET',
    path: 'organizations/:organization/capacity',
    run: withRuns(readCapacity),
  },
};

const TEXTS = z.array(z.string()).nullish();
const FLAG = z.boolean().nullish();

/** What a client may say of a run. Attributes of other uses are passed over. */
const SENT_RUN = z.object({
  'auto-apply': FLAG,
  /** Not HCP's: that the folder has a `cloud` block, from our own client. */
  'cloud-block': FLAG,
  'allow-config-generation': FLAG,
  'is-destroy': FLAG,
  message: z.string().nullish(),
  'plan-only': FLAG,
  refresh: FLAG,
  'refresh-only': FLAG,
  'replace-addrs': TEXTS,
  'save-plan': FLAG,
  'target-addrs': TEXTS,
  'terraform-version': z.string().nullish(),
  variables: z.array(z.object({ key: z.string(), value: z.string() })).nullish(),
});

async function createRun(call: RunCall): Promise<Answer> {
  const sent = await readOne(call, RUN_BYTES_MAX);
  if (isError(sent)) return sent;
  const [configuration] = related(sent, 'configuration-version') ?? [];
  const address = await addressOfRun(call, sent, configuration?.id);
  if (isError(address)) return address;
  const workspace = await findWorkspace(call, address);
  if (isError(workspace)) return workspace;
  const settings = workspace.record?.settings ?? {};
  const wanted = wantedOf(call, sent, configuration?.id ?? '', { address, settings });
  if (isError(wanted)) return wanted;
  const answer = await (configuration?.id === undefined
    ? call.runs.createAgain(call.caller, address, { ...wanted, program: programNamed(call) })
    : call.runs.create(call.caller, wanted));
  if (answer.type === 'invalid') return { status: 422, title: answer.problem, detail: '' };
  if (answer.type === 'absent') return notFound('the configuration version');
  if (answer.type !== 'created') return refused(answer);
  return reply(call, await described(call, answer.run), { status: 201 });
}

/** The workspace of a run that is to be made: that of its configuration or, without one, the one that is named. */
async function addressOfRun(
  call: RunCall,
  sent: SentResource,
  configuration: string | undefined,
): Promise<Address | HcpError> {
  if (configuration === undefined) {
    const [named] = related(sent, 'workspace') ?? [];
    const address = named?.id === undefined ? null : readWorkspaceId(named.id);
    return address ?? invalid('expected the configuration version of the run, or its workspace');
  }
  const known = await call.runs.configurations.show(call.caller, configuration);
  if (known.type === 'absent') return notFound(`configuration version "${configuration}"`);
  return known.type === 'shown' ? known.configuration.address : refused(known);
}

/** A run's document has its variables, each of which may be large. */
const RUN_BYTES_MAX: number = 4 * 1_024 * 1_024;

function wantedOf(
  call: RunCall,
  { attributes }: SentResource,
  configuration: string,
  { address, settings }: { address: Address; settings: Readonly<Record<string, unknown>> },
): RunWanted | HcpError {
  const parsed = SENT_RUN.safeParse(attributes);
  if (!parsed.success) return invalid(`invalid ${parsed.error.issues[0]?.path.join('.') ?? 'attribute'}`);
  const { data } = parsed;
  const { request } = call;
  const directory = settings['working-directory'];
  const isOfCloudBlock = request.header('x-terraform-integration') === 'cloud';
  // The program that the run is executed with is the one that asks for it, in its very version.
  const agent = request.header('user-agent') ?? '';
  // OpenTofu leaves out in the other header what stands behind a dash, as in 1.12.6-dev.
  const [, named = null] = /^OpenTofu\/(\d[\w.+-]*)/.exec(agent) ?? [];
  return {
    configuration,
    message: data.message ?? '',
    variables: data.variables ?? [],
    program: programNamed(call) ?? 'terraform',
    version: named ?? request.header('terraform-version') ?? data['terraform-version'] ?? null,
    // "remote" prints every line of a log as it is.
    structured: settings['structured-run-output-enabled'] === true && isOfCloudBlock,
    directory: typeof directory === 'string' ? directory : '',
    workspaceName: isOfCloudBlock || data['cloud-block'] === true ? workspaceName(address) : undefined,
    saves: data['save-plan'] ?? false,
    planOnly: data['plan-only'] ?? false,
    destroy: data['is-destroy'] ?? false,
    refresh: data.refresh ?? true,
    refreshOnly: data['refresh-only'] ?? false,
    targets: data['target-addrs'] ?? [],
    replaces: data['replace-addrs'] ?? [],
    generatesConfiguration: data['allow-config-generation'] ?? false,
    autoApply: data['auto-apply'] ?? settings['auto-apply'] === true,
  };
}

/** The program that asks, as far as it is one that executes runs; null for any other client. */
function programNamed({ request }: RunCall): RunProgram | null {
  const agent = request.header('user-agent') ?? '';
  if (agent.startsWith('OpenTofu/')) return 'tofu';
  return request.header('terraform-version') === undefined ? null : 'terraform';
}

async function readRun(call: RunCall): Promise<Answer> {
  const asked = (call.query.get('include') ?? '').split(',');
  // An apply without a question begins once its client has read the run alone, after the log of the plan.
  const run = await findRun(call, call.params['run'] ?? '', !call.query.has('include'));
  if (isError(run)) return run;
  const now = await call.house.now();
  const included: Resource[] = [];
  if (asked.includes('plan')) included.push(describePhase(call, run, 'plan', now));
  if (asked.includes('apply')) included.push(describePhase(call, run, 'apply', now));
  if (asked.includes('workspace')) {
    const workspace = await findWorkspace(call, run.address);
    if (!isError(workspace)) included.push(describeWorkspace(call, workspace));
  }
  return reply(call, await described(call, run), { included });
}

async function listRuns(call: RunCall): Promise<Answer> {
  const address = addressOf(call);
  const asked = pageAsked(call);
  if (isError(address)) return address;
  if (isError(asked)) return asked;
  const { number, size } = asked;
  const answer = await call.runs.list(call.caller, address, { from: (number - 1) * size, limit: size });
  if (answer.type !== 'runs') return refused(answer);
  const page = { number, size, total: answer.total };
  return reply(call, await describedAll(call, answer.runs, address), { page });
}

function asking(action: RunAction): Rows[string]['run'] {
  return withRuns(async (call) => {
    const id = call.params['run'] ?? '';
    const answer = await call.runs.act(call.caller, id, action);
    if (answer.type === 'done') return emptyReply(call, 202);
    if (answer.type === 'absent') return notFound(`run "${id}"`);
    if (answer.type !== 'refused') return refused(answer);
    return {
      status: 409,
      title: `the run is ${answer.run.status}`,
      detail: `it cannot be asked to ${action} now`,
    };
  });
}

/** The runs of an organization that are to be executed, first ones first. */
async function readQueue(call: RunCall): Promise<Answer> {
  const queue = await queueOf(call);
  if (isError(queue)) return queue;
  const now = await call.house.now();
  const data = queue.map(({ run, place }) => describeRun(call, run, { now, place }));
  return reply(call, data, { page: { number: 1, size: Math.max(1, data.length), total: data.length } });
}

async function readCapacity(call: RunCall): Promise<Answer> {
  const queue = await queueOf(call);
  if (isError(queue)) return queue;
  const id = call.params['organization'] ?? '';
  const running = call.runs.executing;
  const attributes = { pending: queue.length, running };
  return jsonReply(call, { data: { id, type: 'organization-capacity', attributes } });
}

async function queueOf(
  call: RunCall,
): Promise<readonly { readonly run: Run; readonly place: number }[] | HcpError> {
  const project = call.params['organization'] ?? '';
  const refusal = call.house.projects.refuse(call.caller, 'list', project);
  if (refusal !== null) return refused(refusal);
  const queue = await call.runs.queue();
  return queue.filter(
    ({ run, place }) =>
      place > 0 &&
      run.address.project === project &&
      call.house.gate.shows(call.caller.identity, 'read', run.address),
  );
}

async function described(call: RunCall, run: Run): Promise<Resource> {
  const [resource] = await describedAll(call, [run], run.address);
  return resource ?? describeRun(call, run, { now: run.createdAt, place: 0 });
}

async function describedAll(
  call: RunCall,
  runs: readonly Run[],
  address: Address,
): Promise<readonly Resource[]> {
  const now = await call.house.now();
  const { places } = await call.runs.line(address);
  return runs.map((run) => describeRun(call, run, { now, place: places.get(run.id) ?? 0 }));
}
