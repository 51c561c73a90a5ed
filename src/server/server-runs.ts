import { join, resolve } from 'node:path';
import { RecordBodies } from '../house/records/bodies.ts';
import { servicesAt, workspaceId, workspaceName } from '../protocols/hcp/layout.ts';
import { pathOf } from '../protocols/http/layout.ts';
import type { Executor } from '../runs/executors/executor.ts';
import { PROCESS_EXECUTOR } from '../runs/executors/process.ts';
import type { RunNetwork } from '../runs/executors/network.ts';
import { SandboxExecutor } from '../runs/executors/sandbox.ts';
import { openRuns, type OpenRuns } from '../runs/open-runs.ts';
import { RunPrograms } from '../runs/programs.ts';
import type { BuiltHouse } from './build.ts';
import { ownDirectory, type Configuration } from './configuration.ts';
import type { RunMode } from './settings.ts';
import { systemClock, systemEntropy } from './runtime.ts';

const EVERY_ADDRESS = /^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=:)/;

/**
 * Opens the runs of a house; null where it is to execute none.
 * @throws with words for the operator when it cannot
 */
export async function openServerRuns(
  configuration: Configuration,
  built: BuiltHouse,
): Promise<OpenRuns | null> {
  const { mode, slots, programs, directory, confirmWait, kept, agentGone, limits, network, issuer } =
    configuration.runs;
  if (mode === 'off') return null;
  const path = process.env['PATH'] ?? '';
  const { house, engine, keyring: sealer, log } = built;
  return openRuns({
    house,
    sealer,
    bodies: new RecordBodies({ engine, sealer, entropy: systemEntropy }),
    executor: await executorOf(mode, path, network),
    programs: new RunPrograms(programs, path),
    clock: systemClock,
    entropy: systemEntropy,
    log,
    root: resolve(directory ?? join(ownDirectory(configuration), 'runs')),
    slots,
    confirmWait,
    kept,
    agentGone,
    limits,
    issuer,
    namesOf: (address) => ({
      organization: address.project,
      id: workspaceId(address),
      name: workspaceName(address),
    }),
  });
}

/** What the server executes runs with; null where it leaves that to agents. */
async function executorOf(mode: RunMode, path: string, network: RunNetwork): Promise<Executor | null> {
  if (mode === 'local') return PROCESS_EXECUTOR;
  return mode === 'sandbox' ? SandboxExecutor.open(path, network) : null;
}

/** How programs of runs, which are on this machine, reach the server. @param url of a port without TLS, wherever runs are executed here */
export function programsReach(url: string): Parameters<OpenRuns['start']>[0] {
  const near = url.replace(EVERY_ADDRESS, '$1127.0.0.1');
  return { stateUrl: ({ address }) => `${near}${pathOf(address)}`, services: servicesAt(near), env: {} };
}
