import type { PhaseEnd } from '../core/runs/status.ts';
import { usedSchemas } from '../core/runs/redact.ts';
import { textValue, variablesProblem, variablesText, type RunVariable } from '../core/runs/variables.ts';
import type { PhaseControl } from './control.ts';
import { watchLimits, type RunLimits } from './limits.ts';
import type { LogWriter } from './logs.ts';
import type { PhaseStore, PhaseVariable } from './phase-store.ts';
import { countsOf } from './plan-json.ts';
import type { RunPrograms } from './programs.ts';
import type { Phase, PlanCounts } from './records.ts';
import type { Run } from './run-book.ts';
import { ArchiveError } from './slug/tar.ts';
import { Workplace, type CloudPlace } from './workplace.ts';

/** Bytes of a plan, of its JSON, and of what init says. */
export const PLAN_MAX: number = 256 * 1_024 * 1_024;
const JSON_MAX: number = 128 * 1_024 * 1_024;
const INIT_MAX: number = 1_024 * 1_024;
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin';
/** A `cloud` block takes import blocks in a run from this version of HCP's agent on (terraform internal/cloud/backend_plan.go). */
const LEAST_AGENT = '1.10.0';
const GENERATED_FILE = 'statehouse_generated.tf';
/** `plan -detailed-exitcode` ends with it when there is something to do. */
const HAS_CHANGES = 2;

/** How a phase ended. */
export interface PhaseResult {
  readonly end: PhaseEnd;
  readonly hasChanges: boolean;
  readonly counts: PlanCounts | null;
  readonly problem: string | null;
}

/** What phases are executed with. */
export interface PhaseParts {
  readonly programs: RunPrograms;
  /** The directory of all runs. */
  readonly root: string;
  readonly limits: RunLimits;
  /** The URL of a run's state, at this server. */
  readonly stateUrl: (run: Pick<Run, 'address'>) => string;
  /** Where a `cloud` block finds the services of this server; null where its programs would not trust it. */
  readonly services: Readonly<Record<string, string>> | null;
  /** More of the environment, so that programs trust the server. */
  readonly env: Readonly<Record<string, string>>;
}

/** What is to be known of a run to execute a phase of it. */
export type PhaseRun = Pick<
  Run,
  | 'id'
  | 'address'
  | 'kind'
  | 'task'
  | 'program'
  | 'version'
  | 'structured'
  | 'directory'
  | 'workspaceName'
  | 'lockId'
>;

/** One phase of one run. */
export interface PhaseTask {
  readonly run: PhaseRun;
  readonly store: PhaseStore;
  readonly phase: Phase;
  /** The secret of the token by which its programs reach the state. */
  readonly secret: string;
  readonly log: LogWriter;
  readonly control: PhaseControl;
}

/** Executes a phase, from an empty directory to its end. Whatever goes wrong is told in the log. */
export async function executePhase(parts: PhaseParts, task: PhaseTask): Promise<PhaseResult> {
  const { run, phase, store, log, control } = task;
  try {
    const installed = await parts.programs.find(run.program, run.version);
    if (installed.type === 'missing') throw new PhaseProblem(installed.problem);
    const archive = await store.archive();
    if (archive === null) throw new PhaseProblem('the configuration of the run is gone');
    const place = await Workplace.make(parts.root, run.id, archive, run.directory, cloudOf(parts, task));
    try {
      watchLimits(parts.limits, { phase, control }, place);
      return await new PhaseWork(parts, task, place, installed.path).execute();
    } finally {
      control.close();
      await place.remove();
    }
  } catch (fault) {
    const problem = problemOf(fault);
    log.write(`\nError: the ${phase} could not be executed: ${problem}\n`);
    return { ...FAILED, end: control.stopped && control.reason === null ? 'canceled' : 'errored', problem };
  }
}

/** How the phase reaches its state where its configuration has a `cloud` block; null for the http door. */
function cloudOf(
  { services }: Pick<PhaseParts, 'services'>,
  { run, secret }: Pick<PhaseTask, 'run' | 'secret'>,
): CloudPlace | null {
  const { workspaceName: workspace, address } = run;
  return workspace === undefined || services === null
    ? null
    : { organization: address.project, workspace, services, token: `${run.id}.${secret}` };
}

const FAILED: PhaseResult = { end: 'errored', hasChanges: false, counts: null, problem: null };

/** Something that keeps a phase from being executed, in words for the user. */
class PhaseProblem extends Error {}

function problemOf(fault: unknown): string {
  if (fault instanceof PhaseProblem || fault instanceof ArchiveError) return fault.message;
  return fault instanceof Error ? fault.message : String(fault);
}

/** The commands of a phase. */
class PhaseWork {
  readonly #parts: PhaseParts;
  readonly #task: PhaseTask;
  readonly #place: Workplace;
  readonly #program: string;
  #variables: readonly PhaseVariable[] = [];

  constructor(parts: PhaseParts, task: PhaseTask, place: Workplace, program: string) {
    this.#parts = parts;
    this.#task = task;
    this.#place = place;
    this.#program = program;
  }

  async execute(): Promise<PhaseResult> {
    const { phase, store, log, control } = this.#task;
    this.#variables = await store.variables();
    if (phase === 'apply') {
      const plan = await store.part('plan');
      if (plan === null) throw new PhaseProblem('the plan of the run is gone');
      await this.#place.putPlan(plan, await store.part('lock-file'));
    }
    const init = new Collected(INIT_MAX);
    const begun = await this.#run(['init', '-input=false', '-no-color'], init.take, init.take);
    if (begun.code !== 0) {
      log.write(init.text());
      return this.#ended(begun, FAILED);
    }
    const result = phase === 'plan' ? await this.#plan() : await this.#apply();
    if (control.reason !== null) log.write(`\nError: ${control.reason}: it was ended\n`);
    return result;
  }

  async #plan(): Promise<PhaseResult> {
    const { run, store } = this.#task;
    const args = ['plan', '-input=false', '-no-color', '-detailed-exitcode', `-out=${this.#place.planFile}`];
    const end = await this.#run([
      ...args,
      ...this.#locking(),
      ...this.#format(),
      ...(await this.#planArguments()),
    ]);
    if (end.code !== 0 && end.code !== HAS_CHANGES) return this.#ended(end, FAILED);
    const plan = await this.#place.readPlan(PLAN_MAX);
    if (plan === null) throw new PhaseProblem(`${run.program} made no plan`);
    await store.putPart('plan', plan);
    const lockFile = await this.#place.readLockFile(INIT_MAX);
    if (lockFile !== null) await store.putPart('lock-file', lockFile);
    const json = await this.#show(['show', '-json', '-no-color', this.#place.planFile]);
    await store.putPart('json', json);
    if (run.kind === 'saved' || run.structured === true || run.task.generatesConfiguration)
      await this.#keepSchemas(json);
    const hasChanges = end.code === HAS_CHANGES;
    return this.#ended({ code: 0 }, { end: 'finished', hasChanges, counts: countsOf(json), problem: null });
  }

  /** What clients need that show a saved plan. */
  async #keepSchemas(json: Uint8Array): Promise<void> {
    const schemas = await this.#show(['providers', 'schema', '-json']);
    const used = usedSchemas(parsed(schemas), parsed(json));
    await this.#task.store.putPart('schemas', Buffer.from(JSON.stringify(used)));
  }

  async #apply(): Promise<PhaseResult> {
    const args = ['apply', '-input=false', '-no-color', ...this.#locking(), ...this.#format()];
    const end = await this.#run([...args, this.#place.planFile]);
    return this.#ended(end, { ...FAILED, end: end.code === 0 ? 'finished' : 'errored' });
  }

  /** The lock is the run's own, and its programs need not ask for it. */
  #locking(): readonly string[] {
    return this.#place.byCloud ? ['-lock=false'] : [];
  }

  /** How the log is written. */
  #format(): readonly string[] {
    return this.#task.run.structured === true ? ['-json'] : [];
  }

  /** The arguments that the run's task makes. */
  async #planArguments(): Promise<readonly string[]> {
    const { run } = this.#task;
    const { destroy, refresh, refreshOnly, targets, replaces, generatesConfiguration } = run.task;
    const files = await this.#variableFiles();
    return [
      ...(destroy ? ['-destroy'] : []),
      ...(refreshOnly ? ['-refresh-only'] : []),
      ...(refresh ? [] : ['-refresh=false']),
      // Its client takes what is generated from the plan, and writes the file itself.
      ...(generatesConfiguration ? [`-generate-config-out=${GENERATED_FILE}`] : []),
      ...targets.map((address) => `-target=${address}`),
      ...replaces.map((address) => `-replace=${address}`),
      ...files.map((file) => `-var-file=${file}`),
    ];
  }

  /** The variables of the workspace and its sets, after them those of the run, which count more, and then those of sets with priority. */
  async #variableFiles(): Promise<readonly string[]> {
    const stored = await this.#task.store.part('variables');
    const own = stored === null ? [] : (parsed(stored) as readonly RunVariable[]);
    const shared = (isPriority: boolean): readonly RunVariable[] =>
      this.#variables
        .filter(({ category, overrides }) => category === 'terraform' && overrides === isPriority)
        .map(({ key, hcl, value }) => ({ key, value: hcl ? value : textValue(value) }));
    const files: string[] = [];
    for (const [name, variables] of [
      ['workspace.tfvars', shared(false)],
      ['run.tfvars', own],
      ['priority.tfvars', shared(true)],
    ] as const) {
      const problem = variablesProblem(variables);
      if (problem !== null) throw new PhaseProblem(problem);
      if (variables.length > 0) files.push(await this.#place.put(name, variablesText(variables)));
    }
    return files;
  }

  async #show(args: readonly string[]): Promise<Uint8Array> {
    const shown = new Collected(JSON_MAX);
    const said = new Collected(INIT_MAX);
    const { code } = await this.#run(args, shown.take, said.take);
    if (code !== 0 || shown.isCut)
      throw new PhaseProblem(`the plan could not be shown as JSON. ${said.text()}`);
    return shown.bytes();
  }

  #run(
    args: readonly string[],
    onOutput: (bytes: Uint8Array) => void = (bytes) => this.#task.log.write(bytes),
    onError: (bytes: Uint8Array) => void = (bytes) => this.#task.log.write(bytes),
  ): ReturnType<PhaseControl['run']> {
    const { directory, module: cwd } = this.#place;
    const env = this.#env();
    const { memory } = this.#parts.limits;
    const stateUrl = this.#parts.stateUrl(this.#task.run);
    const work = { directory, cwd, program: this.#program, args, env, stateUrl, onOutput, onError, memory };
    return this.#task.control.run(work);
  }

  /** All that a program is told: nothing of the server's own environment is in it. */
  #env(): Readonly<Record<string, string>> {
    const { run, phase, secret } = this.#task;
    const { directory } = this.#place;
    const { project, key, workspace } = run.address;
    const names = {
      TFC_RUN_ID: run.id,
      TFC_PROJECT_NAME: project,
      TFC_WORKSPACE_NAME: workspace === 'default' ? key : workspace,
      TFC_WORKSPACE_SLUG: `${project}/${key}`,
    };
    const told = Object.entries(names).map(([name, value]) => [`TF_VAR_${name}`, value]);
    const own = this.#variables.filter(({ category, key }) => category === 'env' && key !== 'TF_WORKSPACE');
    return {
      PATH: SYSTEM_PATH,
      ...Object.fromEntries(own.map(({ key, value }) => [key, value])),
      HOME: `${directory}/home`,
      TMPDIR: `${directory}/tmp`,
      TF_IN_AUTOMATION: '1',
      TF_INPUT: '0',
      CHECKPOINT_DISABLE: '1',
      TF_CLI_CONFIG_FILE: `${directory}/cli.tfrc`,
      ...(this.#place.byCloud
        ? { TF_FORCE_LOCAL_BACKEND: '1', TFE_RUN_ID: run.id, TFC_AGENT_VERSION: LEAST_AGENT }
        : {
            TF_HTTP_ADDRESS: this.#parts.stateUrl(run),
            TF_HTTP_USERNAME: phase === 'apply' ? `${run.id}+lock=${run.lockId}` : run.id,
            TF_HTTP_PASSWORD: secret,
          }),
      ...this.#parts.env,
      ...names,
      ...Object.fromEntries(told),
    };
  }

  /** What a program's end means, once it is known whether it was told to end. */
  #ended({ code }: { readonly code: number | null }, result: PhaseResult): PhaseResult {
    const { control } = this.#task;
    // What ended in order although it was told to stop has done all that it was to do.
    if (!control.stopped || (code === 0 && result.end === 'finished')) return result;
    if (control.reason !== null) return { ...result, end: 'errored', problem: control.reason };
    return { ...result, end: 'canceled' };
  }
}

function parsed(json: Uint8Array): unknown {
  return JSON.parse(Buffer.from(json).toString());
}

/** What a program said, up to a limit. */
class Collected {
  readonly #most: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  isCut = false;
  readonly take = (bytes: Uint8Array): void => {
    const room = this.#most - this.#size;
    if (bytes.length > room) this.isCut = true;
    if (room <= 0) return;
    this.#chunks.push(bytes.subarray(0, room));
    this.#size += Math.min(room, bytes.length);
  };

  constructor(most: number) {
    this.#most = most;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  text(): string {
    return Buffer.from(this.bytes()).toString();
  }
}
