import { servicesAt } from '../../protocols/hcp/layout.ts';
import { pathOf } from '../../protocols/http/layout.ts';
import { Agent } from '../../runs/agents/agent.ts';
import { PROCESS_EXECUTOR } from '../../runs/executors/process.ts';
import type { RunNetwork } from '../../runs/executors/network.ts';
import { SandboxExecutor } from '../../runs/executors/sandbox.ts';
import { placeOfState } from '../../runs/executors/state-relay.ts';
import { RUN_LIMITS } from '../../runs/limits.ts';
import { RunPrograms } from '../../runs/programs.ts';
import { openLog, systemClock } from '../../server/runtime.ts';
import type { LogLevel } from '../../server/settings.ts';
import { readVersion } from '../../server/version.ts';
import type { Connection } from '../server/connection.ts';
import { JobClient } from './job-client.ts';

/**
 * Puts an agent together.
 * @throws Error with words for the operator when it cannot execute anything
 */
export async function openAgent(options: {
  readonly connection: Connection;
  /** Of its pool. */
  readonly token: string;
  readonly name: string;
  readonly isSandboxed: boolean;
  /** What runs in the sandbox reach. */
  readonly network: RunNetwork;
  /** The directory of its programs; null for those on the path. */
  readonly programs: string | null;
  /** Where runs are executed. */
  readonly directory: string;
  /** Bytes of memory of a run. */
  readonly memory: number;
  readonly logLevel: LogLevel;
}): Promise<Agent> {
  const { connection, token, name, isSandboxed, directory } = options;
  if (options.network !== 'all') {
    if (!isSandboxed)
      throw new Error('--run-network state needs the sandbox: without it, runs reach what the agent reaches');
    placeOfState(connection.url);
  }
  const path = process.env['PATH'] ?? '';
  const programs = new RunPrograms(options.programs, path);
  const found = await programs.list();
  if (found.length === 0)
    throw new Error(
      'neither terraform nor tofu is installed here: put one on the PATH, or give a directory of them with --run-programs',
    );
  return new Agent({
    server: new JobClient(connection, token),
    about: {
      name,
      version: readVersion(),
      programs: found.map(({ program, version }) => ({ program, version })),
    },
    phases: {
      programs,
      root: directory,
      limits: { ...RUN_LIMITS, memory: options.memory },
      stateUrl: ({ address }) => `${connection.url}${pathOf(address)}`,
      // A `cloud` block trusts what the machine trusts, and is told nothing else.
      services: connection.insecure || connection.ca !== null ? null : servicesAt(connection.url),
      env: trustOf(connection),
    },
    executor: isSandboxed ? await SandboxExecutor.open(path, options.network) : PROCESS_EXECUTOR,
    clock: systemClock,
    log: openLog(options.logLevel),
  });
}

/** What has the programs of runs trust the server as the agent does. */
function trustOf({ ca, insecure }: Connection): Readonly<Record<string, string>> {
  if (insecure) return { TF_HTTP_SKIP_CERT_VERIFICATION: 'true' };
  return ca === null ? {} : { TF_HTTP_CLIENT_CA_CERTIFICATE_PEM: ca.pem };
}
