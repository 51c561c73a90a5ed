import { basename, dirname, resolve } from 'node:path';
import type { HcpRuns, RunOrder, SeenRun } from '../../protocols/hcp/client/runs.ts';
import type { Command, Invocation } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE, FAILED } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { formatSize } from '../figures.ts';
import { readSavedPlan, writeSavedPlan } from './saved-plan.ts';
import { flag, spec, text, texts } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { TARGET_OPTIONS, withTarget, type OpenTarget } from './target.ts';

const EVERY_TIME = { environment: false } as const;

const OPTIONS = {
  ...TARGET_OPTIONS,
  destroy: flag('destroy everything', EVERY_TIME),
  refreshOnly: flag('only bring the state up to date with what is there', EVERY_TIME),
  noRefresh: flag('do not look at what is there', EVERY_TIME),
  target: texts('ADDRESS', 'only this resource, and what it needs', EVERY_TIME),
  replace: texts('ADDRESS', 'make this resource anew', EVERY_TIME),
  var: texts('NAME=VALUE', 'a variable of the configuration', { ...EVERY_TIME, isSecret: () => false }),
  varFile: texts('FILE', 'a file of variables; those of --var count more', EVERY_TIME),
  message: text('TEXT', 'why, for those who see the run', EVERY_TIME),
  program: spec<'terraform' | 'tofu'>(
    {
      kind: 'value',
      placeholder: 'NAME',
      help: 'the program that executes it: terraform or tofu',
      fallback: 'terraform',
      read: (given) => programOf(given.at(-1) ?? 'terraform'),
    },
    {},
  ),
  programVersion: text('VERSION', 'its version, in place of the newest that the server has', EVERY_TIME),
  detailedExitcode: flag('end with 2 where the plan has changes', EVERY_TIME),
  noWait: flag('start the run, and print its ID', EVERY_TIME),
};

type RunInvocation = Invocation<typeof OPTIONS>;

/** `-detailed-exitcode` of terraform: done, and there is something to do. */
const HAS_CHANGES = 2;

/** What one of the two commands has and the other has not. */
interface Own {
  readonly autoApprove?: boolean;
  readonly out?: string | undefined;
}

/** How a run is asked for. */
interface Asked {
  readonly kind: 'plan' | 'apply';
  readonly approved: boolean;
  /** The file where the plan is saved, or the one whose plan is applied; null for none. */
  readonly file: string | null;
}

/** A command that has the server plan the folder, or plan and apply it. */
export function runInFolder(
  kind: 'plan' | 'apply',
  { description, example, says }: { description: string; example: string; says: string },
): Command {
  const autoApprove = flag('apply without a question', EVERY_TIME);
  const out = text('FILE', 'save the plan, for "statehouse run apply FILE"', EVERY_TIME);
  const saved = { name: 'plan', help: 'a file of "run plan --out"', required: false };
  return defineCommand({
    description,
    args: kind === 'plan' ? [] : [saved],
    options: kind === 'plan' ? { ...OPTIONS, out } : { ...OPTIONS, autoApprove },
    examples: [{ line: example, says }],
    run: (invocation) =>
      withTarget(invocation, 'reads', (target) => {
        const own = invocation.options as Own;
        const file = (kind === 'plan' ? own.out : invocation.args[0]) ?? null;
        const path = file === null ? null : resolve(target.folder, file);
        const asked = { kind, approved: own.autoApprove ?? false, file: path };
        return new RemoteRun(invocation, target, asked).execute();
      }),
  });
}

class RemoteRun {
  readonly #invocation: RunInvocation;
  readonly #target: OpenTarget;
  readonly #terminal: Terminal;
  readonly #kind: 'plan' | 'apply';
  readonly #approved: boolean;
  readonly #file: string | null;

  constructor(invocation: RunInvocation, target: OpenTarget, { kind, approved, file }: Asked) {
    this.#invocation = invocation;
    this.#target = target;
    this.#terminal = invocation.terminal;
    this.#kind = kind;
    this.#approved = approved;
    this.#file = file;
  }

  async execute(): Promise<number> {
    const { options, stopped } = this.#invocation;
    this.#demandAnswer();
    const { choice: backend, client, workspace } = this.#target;
    const { openRuns } = await import('../../protocols/hcp/client/runs.ts');
    const served = (await client.server?.(workspace)) ?? null;
    const runs = await openRuns(backend, workspace, served);
    const saved = this.#kind === 'apply' ? this.#file : null;
    const made = saved === null ? await this.#start(runs) : await this.#confirmSaved(runs, saved);
    if (options.noWait) {
      await this.#save(runs, made);
      return this.#end(made);
    }
    const stop = (): void => void runs.act(made.id, 'cancel').catch(() => undefined);
    stopped.addEventListener('abort', stop, { once: true });
    try {
      return await (saved === null ? this.#follow(runs, made) : this.#followApply(runs, made));
    } catch (fault) {
      if (!stopped.aborted) throw fault;
      throw new Failure(`stopped: the run ${made.id} was told to end`, {
        next: `statehouse run logs ${made.id} shows how it went.`,
      });
    } finally {
      stopped.removeEventListener('abort', stop);
    }
  }

  /** Whoever cannot be asked has to say beforehand that the plan is to be applied. */
  #demandAnswer(): void {
    const { options } = this.#invocation;
    // Whoever names a saved plan has seen it.
    if (this.#kind === 'plan' || this.#approved || this.#file !== null) return;
    if (options.noWait || this.#terminal.interactive) return;
    throw wrongUse(
      'the standard input is not a terminal, so the apply cannot be confirmed',
      'Pass --auto-approve, or --no-wait and confirm it later: statehouse run confirm.',
    );
  }

  async #start(runs: HcpRuns): Promise<SeenRun> {
    const { options } = this.#invocation;
    const order = {
      ...orderOf(options, this.#approved),
      saves: this.#kind === 'plan' && this.#file !== null,
      variables: await this.#variables(),
    };
    const workspace = await runs.workspace();
    const folder = rootOf(this.#target.folder, workspace.directory);
    const { packFolder } = await import('../../protocols/hcp/client/slug/pack.ts');
    const { archive, files, size } = await packFolder(folder);
    this.#terminal.note(`Uploading ${files} files of ${folder}, ${formatSize(size)}.`);
    const use = order.saves ? 'saved' : this.#kind;
    const configuration = await runs.upload(workspace, archive, use);
    const made = await runs.create(workspace, configuration, order);
    this.#terminal.note(`Run ${made.id} was made.`);
    return made;
  }

  /** The variables of the command line and of the shell. */
  async #variables(): Promise<RunOrder['variables']> {
    const { options, env } = this.#invocation;
    const { folder } = this.#target;
    const { collectVariables } = await import('../../workdir/variable-values.ts');
    const sources = { folder, env, values: options.var, files: options.varFile };
    const { variables, undeclared } = await collectVariables(sources);
    if (undeclared.length > 0)
      this.#terminal.note(
        `${this.#terminal.colors.yellow('Warning:')} not declared here, and left out: ${undeclared.join(', ')}.`,
      );
    return variables;
  }

  /** Applies what was planned before. It is not asked again, as terraform does not. */
  async #confirmSaved(runs: HcpRuns, file: string): Promise<SeenRun> {
    demandPlain(this.#invocation.options);
    const { runId, hostname } = await readSavedPlan(file);
    if (hostname !== runs.hostname)
      throw new Failure(`the plan was saved by ${hostname}, and this folder's server is ${runs.hostname}`);
    const run = await runs.saved(await runs.workspace(), runId);
    if (!run.isConfirmable || !(await runs.act(runId, 'apply')))
      throw new Failure(`the saved plan cannot be applied: the run ${runId} is ${run.status}`, {
        next: 'Plan anew. A plan is given up once the state is not any more what it was made of.',
      });
    return runs.find(runId);
  }

  async #follow(runs: HcpRuns, { id }: SeenRun): Promise<number> {
    await this.#begun(runs, id);
    await this.#show(runs, id, 'plan');
    let run = await runs.find(id);
    if (this.#kind === 'plan') {
      if (GOOD_ENDS.has(run.status)) await this.#save(runs, run);
      return this.#end(run);
    }
    const isAsked = run.isConfirmable && !this.#approved;
    if (isAsked && !(await this.#terminal.confirm('Apply this plan?', '--auto-approve'))) {
      await runs.act(id, 'discard');
      this.#terminal.note('Nothing was applied.');
      return this.#end(await runs.find(id));
    }
    // Another may have confirmed or discarded it meanwhile.
    if (isAsked && !(await runs.act(id, 'apply'))) run = await runs.find(id);
    else if (run.isConfirmable) run = await runs.find(id);
    return END_WITHOUT_APPLY.has(run.status)
      ? this.#end(await runs.find(id))
      : this.#followApply(runs, { id });
  }

  /** Writes down where the plan is, if that was asked for. */
  async #save(runs: HcpRuns, { id }: SeenRun): Promise<void> {
    if (this.#kind === 'plan' && this.#file !== null)
      await writeSavedPlan(this.#file, { runId: id, hostname: runs.hostname });
  }

  async #followApply(runs: HcpRuns, { id }: Pick<SeenRun, 'id'>): Promise<number> {
    await this.#begun(runs, id);
    await this.#show(runs, id, 'apply');
    return this.#end(await runs.find(id));
  }

  async #begun(runs: HcpRuns, id: string): Promise<void> {
    const since = performance.now();
    let told = false;
    await runs.begun(id, this.#invocation.stopped, ({ place }) => {
      if (told || performance.now() - since < TELL_AFTER_MS) return;
      told = true;
      const why =
        place > 0 ? `${place} runs are to be executed first` : 'another run or a lock has the workspace';
      this.#terminal.note(`Waiting: ${why}. Ctrl-C cancels the run.`);
    });
  }

  async #show(runs: HcpRuns, id: string, phase: 'plan' | 'apply'): Promise<void> {
    let rest = '';
    for await (const piece of runs.log(id, phase, this.#invocation.stopped)) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) this.#tell(lines);
    }
    if (rest !== '') this.#tell([rest]);
  }

  /** Under --json the result is the document alone. */
  #tell(lines: readonly string[]): void {
    if (this.#terminal.json) for (const line of lines) this.#terminal.note(line);
    else this.#terminal.say(lines);
  }

  #end({ id, status, hasChanges }: SeenRun): number {
    const { options } = this.#invocation;
    if (this.#terminal.json) this.#terminal.result({ run: id, status, hasChanges });
    else if (options.noWait) this.#terminal.say(id);
    else this.#terminal.note(`Run ${id} is ${status}.`);
    if (options.noWait) return DONE;
    if (!GOOD_ENDS.has(status)) return FAILED;
    return options.detailedExitcode && this.#kind === 'plan' && hasChanges ? HAS_CHANGES : DONE;
  }
}

/** After this a user is told why nothing happens, in milliseconds. */
const TELL_AFTER_MS = 2_000;
const GOOD_ENDS: ReadonlySet<string> = new Set(['planned_and_finished', 'planned_and_saved', 'applied']);
const END_WITHOUT_APPLY: ReadonlySet<string> = new Set([
  'planned_and_finished',
  'errored',
  'canceled',
  'force_canceled',
  'discarded',
]);

function programOf(name: string): 'terraform' | 'tofu' {
  if (name === 'terraform' || name === 'tofu') return name;
  throw wrongUse(`invalid --program "${name}": expected terraform or tofu`);
}

/** A plan that was saved has all this in it already. */
function demandPlain(options: RunInvocation['options']): void {
  const { destroy, refreshOnly, noRefresh, target, replace, var: values, varFile } = options;
  const lists = [target, replace, values, varFile];
  if (destroy || refreshOnly || noRefresh || lists.some((given) => given.length > 0))
    throw wrongUse('a saved plan is applied as it is: leave out the options that say what to plan');
}

function orderOf(
  options: RunInvocation['options'],
  autoApply: boolean,
): Omit<RunOrder, 'variables' | 'saves'> {
  const { destroy, refreshOnly, noRefresh, target, replace, message, program, programVersion } = options;
  if (destroy && refreshOnly) throw wrongUse('--destroy and --refresh-only exclude each other');
  if (refreshOnly && noRefresh) throw wrongUse('--refresh-only and --no-refresh exclude each other');
  return {
    message: message ?? '',
    destroy,
    refresh: !noRefresh,
    refreshOnly,
    targets: target,
    replaces: replace,
    autoApply,
    version: programVersion ?? null,
    program,
  };
}

/** The folder that is uploaded: where the workspace has a working directory, the one that this is in. */
function rootOf(folder: string, directory: string): string {
  const parts = directory.split('/').filter((part) => part !== '' && part !== '.');
  let root = folder;
  for (const part of parts.toReversed()) {
    if (basename(root) !== part || dirname(root) === root) {
      throw new Failure(
        `invalid folder ${folder}: expected one that ends with the working directory "${directory}" of the workspace`,
        {
          next: 'Run it there, or change the working directory of the workspace.',
        },
      );
    }
    root = dirname(root);
  }
  return resolve(root);
}
