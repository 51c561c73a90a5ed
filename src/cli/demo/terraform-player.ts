import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hclText } from '../../protocols/backend.ts';
import { FIRST_STEPS } from '../../protocols/backends.ts';
import { Failure } from '../failure.ts';
import { scriptCommand } from '../own-process.ts';
import type { Pair } from '../server/connection.ts';
import type { Apply, ApplyEnd, ApplyPlan, Player, Thing } from './player.ts';
import { THINGS } from './player.ts';
import { ADDRESS } from './stage.ts';

/** What terraform leaves when the backend did not take the state (internal/backend/local/backend_apply.go). */
const ERRORED = 'errored.tfstate';
const LOCK_TIMEOUT = '60s';

/** Stands in the middle of an apply: tells that work has begun, and works until it may end. */
const WORK = `const fs = require('node:fs');
const [reached, open] = JSON.parse(process.argv.at(-1));
fs.writeFileSync(reached, '');
const timer = setInterval(() => { if (fs.existsSync(open)) clearInterval(timer); }, 20);
setTimeout(() => process.exit(1), 60_000).unref();
`;

/** A colleague with a Terraform folder of their own. */
export class TerraformPlayer implements Player {
  readonly name: string;
  readonly #program: string;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #work: string;
  readonly #code: Record<Thing, number> = { web: 0, db: 0 };
  readonly #running = new Set<Apply>();
  #applies = 0;

  private constructor(name: string, program: string, folder: string, env: NodeJS.ProcessEnv) {
    this.name = name;
    this.#program = program;
    this.#folder = folder;
    this.#env = env;
    this.#work = join(folder, 'work.cjs');
  }

  /** Makes the folder, and runs `terraform init` there. */
  static async seat(
    name: string,
    options: { program: string; directory: string; url: string; credential: Pair },
  ): Promise<TerraformPlayer> {
    const { program, url, credential } = options;
    const folder = join(options.directory, name.toLowerCase());
    mkdirSync(folder);
    const snippet = FIRST_STEPS.snippet({
      url,
      address: ADDRESS,
      credential,
      caPath: null,
      variables: false,
    });
    const env = {
      ...withoutSettings(process.env),
      ...Object.fromEntries(snippet.environment.map(({ name, value }) => [name, value])),
    };
    writeFileSync(join(folder, 'backend.tf'), `${snippet.block}\n`);
    const player = new TerraformPlayer(name, program, folder, env);
    writeFileSync(player.#work, WORK);
    const { code, output } = await player.#run(['init', '-input=false', '-no-color']).end;
    if (code !== 0) throw new Failure(`"${program} init" failed`, { next: output });
    return player;
  }

  apply({ changes, lock }: ApplyPlan): Apply {
    const number = (this.#applies += 1);
    const reached = join(this.#folder, `reached-${number}`);
    const open = join(this.#folder, `open-${number}`);
    rmSync(join(this.#folder, ERRORED), { force: true });
    for (const { thing, to } of changes) this.#code[thing] = to;
    writeFileSync(
      join(this.#folder, 'main.tf'),
      THINGS.map((thing) => this.#resource(thing, [reached, open])).join('\n'),
    );
    const { child, end } = this.#run([
      'apply',
      '-auto-approve',
      '-input=false',
      '-no-color',
      ...(lock === 'none' ? ['-lock=false'] : lock === 'wait' ? [`-lock-timeout=${LOCK_TIMEOUT}`] : []),
      ...changes.map(({ thing }) => `-target=terraform_data.${thing}`),
    ]);
    const ended = end.then((result) => this.#endOf(result));
    const carryOn = (): void => writeFileSync(open, '');
    const apply: Apply = {
      atWork: appears(this.#folder, reached, ended),
      end: ended,
      carryOn,
      kill: () => {
        child.kill('SIGKILL');
        // Processes that it had started would go on otherwise.
        void ended.then(carryOn);
      },
    };
    this.#running.add(apply);
    void ended.then(() => this.#running.delete(apply));
    return apply;
  }

  async close(): Promise<void> {
    for (const apply of this.#running) apply.kill();
    await Promise.all([...this.#running].map(({ end }) => end));
  }

  #run(args: readonly string[]): {
    child: ReturnType<typeof spawn>;
    end: Promise<{ code: number | null; output: string }>;
  } {
    const child = spawn(this.#program, args, {
      cwd: this.#folder,
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const end = new Promise<{ code: number | null; output: string }>((resolve) => {
      child.once('error', (fault) => resolve({ code: -1, output: fault.message }));
      // Not "close": a process that it left behind may hold its output open.
      child.once('exit', (code) => setImmediate(() => resolve({ code, output })));
    });
    return { child, end };
  }

  #endOf({ code, output }: { code: number | null; output: string }): ApplyEnd {
    if (code === 0) return { type: 'done' };
    if (code === null) return { type: 'killed' };
    if (output.includes('Error acquiring the state lock'))
      return {
        type: 'lock-refused',
        words: lineWith(output, 'Error acquiring the state lock'),
      };
    const keptIn = join(this.#folder, ERRORED);
    if (existsSync(keptIn))
      return { type: 'write-refused', words: lineWith(output, 'HTTP error', 'Failed to save state'), keptIn };
    return { type: 'failed', words: output };
  }

  #resource(thing: Thing, gate: readonly [reached: string, open: string]): string {
    const value = this.#code[thing];
    return `resource "terraform_data" "${thing}" {
  input            = ${value}
  triggers_replace = ${value}
  provisioner "local-exec" {
    interpreter = [${scriptCommand(this.#work).map(hclText).join(', ')}]
    command     = ${hclText(JSON.stringify(gate))}
  }
}
`;
  }
}

/** Whoever tries the demo may have settings of their own, which must not reach into it. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^TF_|^STATEHOUSE_/.test(name));
  return { ...Object.fromEntries(kept), CHECKPOINT_DISABLE: '1', TF_IN_AUTOMATION: '1' };
}

/** The line of an output in which a text stands, without the frame that terraform draws around errors. */
function lineWith(output: string, ...wanted: readonly string[]): string {
  const lines = output.split('\n').map((line) => line.replace(/^[│╷╵\s]+/, '').trim());
  return (
    wanted.map((text) => lines.find((line) => line.includes(text))).find((line) => line !== undefined) ?? ''
  );
}

/** Resolves once there is such a file, or there will be none. */
function appears(directory: string, path: string, over: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, look);
    function look(): void {
      if (existsSync(path)) leave();
    }
    function leave(): void {
      watcher.close();
      resolve();
    }
    void over.then(leave);
    look();
  });
}
