import type { Address } from '../core/address.ts';
import type { Milliseconds } from '../core/instant.ts';
import type { House } from '../house/house.ts';
import type { RecordBodies } from '../house/records/bodies.ts';
import { Sweep } from '../house/sweep.ts';
import { watched } from '../house/watched.ts';
import type { Clock } from '../ports/clock.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Log } from '../ports/log.ts';
import { AgentJobs } from './agents/jobs.ts';
import { AgentPools, WATCHED_POOLS } from './agents/pools.ts';
import { Configurations } from './configurations.ts';
import { CurrentConfigurations } from './current-configurations.ts';
import { Drift, WATCHED_DRIFT } from './drift/drift.ts';
import type { Executor } from './executors/executor.ts';
import { RunIdentity } from './identity/run-identity.ts';
import { SigningKeys } from './identity/signing-keys.ts';
import { Executions } from './executions.ts';
import { RunCensus } from './figures.ts';
import { removeLeftBehind } from './left-behind.ts';
import { RunLogs } from './logs.ts';
import { announceRuns } from './announce-runs.ts';
import { BookStores } from './phase-store.ts';
import type { RunLimits } from './limits.ts';
import type { PhaseParts } from './phase.ts';
import type { RunPrograms } from './programs.ts';
import { RunBook, type Run } from './run-book.ts';
import { Runs } from './runs.ts';
import { RunTickets } from './tickets.ts';
import { Notifications, WATCHED_NOTIFICATIONS } from './notifications/notifications.ts';
import type { WorkspaceNames } from './notifications/payload.ts';
import { RunTriggers, WATCHED_TRIGGERS } from './triggers/triggers.ts';
import { RunTokens } from './tokens.ts';
import { RunWorker } from './worker.ts';

/** Configurations of which nobody made a run are forgotten after so long. */
const LEFT: Milliseconds = 24 * 3_600_000;

export interface OpenRuns {
  readonly runs: Runs;
  /** Begins to execute, once the server can be reached. @param at how programs reach it */
  start(at: Pick<PhaseParts, 'stateUrl' | 'services' | 'env'>): Promise<void>;
  /** @param within how long what is at work has to end in order */
  close(within: Milliseconds): Promise<void>;
}

/** Puts the runs of a house together. */
export function openRuns(options: {
  readonly house: House;
  readonly bodies: RecordBodies;
  readonly sealer: Sealer;
  /** null where agents alone execute. */
  readonly executor: Executor | null;
  readonly programs: RunPrograms;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly root: string;
  readonly slots: number;
  readonly confirmWait: Milliseconds;
  /** How long runs are kept that have ended. */
  readonly kept: Milliseconds;
  /** How long an agent may be silent before its phase is taken for lost. */
  readonly agentGone: Milliseconds;
  readonly limits: RunLimits;
  /** The address of this server as the issuer of tokens for runs; null to issue none. */
  readonly issuer: string | null;
  /** What clients call a workspace. */
  readonly namesOf: (address: Address) => WorkspaceNames;
}): OpenRuns {
  const { house, bodies, clock, log, programs, root, kept } = options;
  const book = new RunBook(house, bodies);
  const logs = new RunLogs({ house, bodies, clock });
  const configurations = new Configurations(options);
  const current = new CurrentConfigurations({ ...options, book, configurations });
  let reached: Pick<PhaseParts, 'stateUrl' | 'services' | 'env'> | null = null;
  const phases: PhaseParts = {
    programs,
    root,
    limits: options.limits,
    stateUrl: (run) => reached?.stateUrl(run) ?? '',
    get services() {
      return reached?.services ?? null;
    },
    get env() {
      return reached?.env ?? {};
    },
  };
  const { issuer } = options;
  const identity =
    issuer === null
      ? null
      : new RunIdentity({
          ...options,
          workspaceId: (address) => options.namesOf(address).id,
          issuer,
          keys: new SigningKeys(options),
        });
  const stores = new BookStores({
    book,
    configurations,
    variables: async (run) => {
      const variables = await house.workspaces.sets.ofRuns(run.address);
      return [...variables, ...((await identity?.tokensFor(run, variables)) ?? [])];
    },
  });
  const pools = new AgentPools(options);
  const jobs = new AgentJobs({ ...options, book, logs, pools, stores, lease: options.agentGone });
  const notifications = new Notifications(options);
  const drift = new Drift({
    ...options,
    book,
    checked: (event) => notifications.checked(event),
    createAgain: (...asked) => runs.createAgain(...asked),
  });
  const triggers = new RunTriggers({
    ...options,
    book,
    createAgain: (...asked) => runs.createAgain(...asked),
  });
  const ended = async (run: Run): Promise<void> => {
    await current.keep(run);
    await drift.ended(run);
    await triggers.ended(run);
  };
  const worker = new RunWorker({
    ...options,
    book,
    logs,
    phases,
    stores,
    jobs,
    ended,
  });
  const executesHere = options.executor !== null;
  const runs: Runs = new Runs({
    ...options,
    executions: new Executions({ ...options, pools, executesHere }),
    book,
    logs,
    worker,
    configurations,
    current,
    notifications: watched(notifications, house.audit, WATCHED_NOTIFICATIONS),
    triggers: watched(triggers, house.audit, WATCHED_TRIGGERS),
    drift: watched(drift, house.audit, WATCHED_DRIFT),
    pools: watched(pools, house.audit, WATCHED_POOLS),
    jobs,
    identity,
    census: new RunCensus({ book, pools, clock }),
    executesHere,
    tickets: new RunTickets(options.sealer),
  });
  const prune = async (): Promise<void> => {
    const now = await house.now();
    await runs.prune(now - kept, now - LEFT);
    await triggers.prune();
    await notifications.prune();
  };
  const clear = async (): Promise<number> => removeLeftBehind(root, clock.now());
  const sweep = new Sweep({ works: { 'old runs': prune, 'what killed runs left': clear }, clock, log });
  announceRuns(book, house.webhooks, log);
  book.listen((run) => notifications.ran(run));
  house.identity.accept(new RunTokens(book));
  return {
    runs,
    start: async (at) => {
      reached = at;
      await worker.start();
      sweep.start();
      drift.checks.start();
      notifications.start();
    },
    close: async (within) => {
      await drift.checks.close();
      await worker.close(within);
      await notifications.close();
      await sweep.stop();
    },
  };
}
