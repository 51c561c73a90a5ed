import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { readWord } from '../../core/read-value.ts';
import { TokenRefused } from '../../runs/agents/job-server.ts';
import { RUN_NETWORKS } from '../../runs/executors/network.ts';
import { defineCommand, type Command } from '../command.ts';
import { endBy } from '../end-by.ts';
import { DONE } from '../exit-codes.ts';
import { Failure, wrongUse } from '../failure.ts';
import { accepted, duration, flag, text, textOr, wholeNumber } from '../options.ts';
import { CONNECTION_OPTIONS, readConnection, type Connection } from '../server/connection.ts';

const MEBIBYTE = 1_048_576;
/** How long telling the server of an end may take after that, as long as --stop-wait at the most, and some more. */
const TELL_MS = 240_000;
const END_GRACE_MS = 5_000;
const ISOLATIONS = ['sandbox', 'process'] as const;

export const command: Command = defineCommand({
  description:
    'Executes runs of a server on this machine: takes plans and applies of its pool, one after the other, until it is stopped. All connections go from here to the server. Ctrl-C or SIGTERM: finishes what is at work, and ends.',
  args: [],
  options: {
    ...CONNECTION_OPTIONS,
    name: text('NAME', 'what the server calls this agent (default: the name of the machine)'),
    isolation: textOr(
      'sandbox',
      'sandbox|process',
      'sandbox keeps runs apart from this machine by bubblewrap, process does not',
    ),
    runSlots: wholeNumber(
      { fallback: 1, from: 1, to: 100 },
      'N',
      'execute at most N plans and applies at a time',
    ),
    runPrograms: text(
      'DIR',
      'where the programs of runs are, called terraform_1.11.4 or tofu_1.9.0; by default those on PATH',
    ),
    runDirectory: textOr('./statehouse-agent', 'DIR', 'where runs are executed'),
    runMemory: wholeNumber(
      { fallback: 4_096, from: 64, to: 1_048_576 },
      'MIB',
      'end a run that uses more than MIB of memory',
    ),
    runNetwork: textOr(
      'all',
      RUN_NETWORKS.join('|'),
      'what runs in the sandbox reach: all that this machine reaches, or the state of their workspace alone',
    ),
    kubernetesJob: text(
      'FILE',
      'in a pod of a Kubernetes cluster: have each plan and apply executed by a Job that is made after the manifest in FILE',
    ),
    jobFile: text('FILE', 'execute the one plan or apply that FILE says, as a Job of --kubernetes-job does'),
    once: flag('take one plan or apply, wait for it if need be, and end when it has ended'),
    stopWait: duration(
      '1h',
      'TIME',
      'how long what is at work may take once the agent is stopped, before it is told to end. It is ended by force after as long again, 2 minutes at the most',
    ),
  },
  examples: [
    {
      line: 'statehouse agent --server https://state.example.com --credential-file token',
      says: 'one run at a time',
    },
    {
      line: 'statehouse agent --run-slots 4 --run-programs /opt/terraform',
      says: 'four, with several versions',
    },
    {
      line: 'statehouse agent --once',
      says: 'one plan or apply, for a container that is thrown away after each',
    },
  ],
  run: async ({ options, terminal, env, stopped }) => {
    const connection = readConnection(options);
    const { runSlots: slots, once, stopWait: within, jobFile, kubernetesJob } = options;
    const name = options.name ?? hostname();
    const end = (): void => endBy(within + Math.min(within, TELL_MS) + END_GRACE_MS);
    stopped.addEventListener('abort', end, { once: true });
    if (kubernetesJob !== undefined) {
      const { openController } = await import('../agent/kubernetes/open-controller.ts');
      const asked = { connection, token: tokenOf(connection), name, file: kubernetesJob, env };
      const controller = await openController(asked).catch(failed);
      terminal.note(`Having Jobs execute runs of ${connection.url}.`);
      await controller.run({ slots, stopped }).catch(refused);
      return DONE;
    }
    const { openAgent } = await import('../agent/open-agent.ts');
    const agent = await openAgent({
      connection,
      token: jobFile === undefined ? tokenOf(connection) : '',
      name,
      isSandboxed: accepted(readWord(options.isolation, ISOLATIONS)) === 'sandbox',
      network: accepted(readWord(options.runNetwork, RUN_NETWORKS)),
      programs: options.runPrograms ?? null,
      directory: resolve(options.runDirectory),
      memory: options.runMemory * MEBIBYTE,
      logLevel: 'info',
    }).catch(failed);
    if (jobFile !== undefined) {
      const { readJob } = await import('../agent/read-job.ts');
      await agent.execute(await readJob(jobFile), { stopped, within }).catch(failed);
      return DONE;
    }
    terminal.note(`Taking runs of ${connection.url}. Ctrl-C finishes what is at work.`);
    await agent.run({ slots, once, stopped, within }).catch(refused);
    return DONE;
  },
});

function tokenOf({ credential }: Connection): string {
  if (credential !== null) return `${credential.id}.${credential.secret}`;
  throw wrongUse(
    'the token of the pool is missing',
    '"statehouse agent-pool create" shows it: give it with --credential-file.',
  );
}

function failed(fault: unknown): never {
  throw new Failure(fault instanceof Error ? fault.message : String(fault), { cause: fault });
}

function refused(fault: unknown): never {
  if (!(fault instanceof TokenRefused)) throw fault;
  throw new Failure(fault.message, { next: 'Make another one with "statehouse agent-pool token".' });
}
