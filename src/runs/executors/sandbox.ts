import { execFile } from 'node:child_process';
import { existsSync, readlinkSync, lstatSync } from 'node:fs';
import { isSea } from 'node:sea';
import { promisify } from 'node:util';
import { findOnPath } from '../programs.ts';
import type { Executor, Work } from './executor.ts';
import type { RunNetwork } from './network.ts';
import { placeOfState, RELAY_PLACE, RELAY_PROGRAM, StateRelay } from './state-relay.ts';
import { limitsOf, startSupervised, SUPERVISOR } from './supervised.ts';

/** What of the machine a program sees, read only, where it is there. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64'];
const FILES = [
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/localtime',
];
/** The user that programs are, within. */
const USER = '65534';
/** Processes that a run may have at a time. */
const PROCESSES_MAX = 512;
/** Where the program is, within. */
const PROGRAM = '/run/program';
const ASK_MS = 10_000;

/** Where the kernel counts them for each user, as it does for all but root. */
const PROCESSES = `ulimit -u ${PROCESSES_MAX} 2>/dev/null || ulimit -p ${PROCESSES_MAX} 2>/dev/null || :`;

/**
 * Runs programs by bubblewrap: with a file system of their own that has the system's programs and the run's directory alone, as a
 * user without rights, with no other process in sight. They share the network, which providers need, unless it is kept from them.
 */
export class SandboxExecutor implements Executor {
  readonly name = 'sandbox';
  readonly #bwrap: string;
  readonly #network: RunNetwork;

  private constructor(bwrap: string, network: RunNetwork) {
    this.#bwrap = bwrap;
    this.#network = network;
  }

  /**
   * @param path directories as in PATH, where bubblewrap is looked for
   * @throws Error with words for the operator where it is not installed, or may not make what it needs
   */
  static async open(path: string, network: RunNetwork): Promise<SandboxExecutor> {
    const bwrap = await findOnPath('bwrap', path);
    if (bwrap === null) throw unusable('it is not installed');
    try {
      const args = [...sandbox({ directory: '/usr', cwd: '/' }), '/bin/sh', '-c', ':'];
      await promisify(execFile)(bwrap, args, { env: {}, timeout: ASK_MS });
    } catch (fault) {
      throw unusable(firstLine(fault), fault);
    }
    if (network === 'state' && isSea())
      throw new Error('the single executable cannot keep the network from runs: take the package');
    return new SandboxExecutor(bwrap, network);
  }

  start(work: Work): ReturnType<Executor['start']> {
    const relay = this.#network === 'all' ? null : new StateRelay(placeOfState(work.stateUrl));
    const args = [
      ...sandbox(work, relay),
      '--ro-bind',
      work.program,
      PROGRAM,
      // What is left is memory, of which a program could take all.
      '--remount-ro',
      '/dev',
      '--remount-ro',
      '/',
      '/bin/sh',
      '-c',
      // What relays has no part of the limits of the program.
      [...(relay === null ? [] : [relay.script]), ...limitsOf(work), PROCESSES, SUPERVISOR].join('\n'),
      'run',
      ...(relay === null ? [] : [StateRelay.argument]),
      PROGRAM,
      ...work.args,
    ];
    const running = startSupervised(this.#bwrap, args, work);
    if (relay !== null) void running.end.finally(() => relay.close());
    return running;
  }
}

/** @param relay the only way out; null where the network is shared */
function sandbox(
  { directory, cwd }: Pick<Work, 'directory' | 'cwd'>,
  relay: StateRelay | null = null,
): readonly string[] {
  const system = SYSTEM.flatMap((path) => {
    if (!existsSync(path)) return [];
    return lstatSync(path).isSymbolicLink()
      ? ['--symlink', readlinkSync(path), path]
      : ['--ro-bind', path, path];
  });
  return [
    '--unshare-all',
    ...(relay === null ? ['--share-net'] : []),
    '--unshare-user',
    '--uid',
    USER,
    '--gid',
    USER,
    '--die-with-parent',
    '--cap-drop',
    'ALL',
    '--hostname',
    'run',
    ...system,
    ...FILES.flatMap((path) => ['--ro-bind-try', path, path]),
    ...(relay === null ? [] : reachingBy(relay)),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--bind-try',
    `${directory}/tmp`,
    '/tmp',
    '--bind',
    directory,
    directory,
    '--chdir',
    cwd,
  ];
}

/** Within, the server's name is this machine, and its port may be any: there is no other network that it would be of. */
function reachingBy({ directory, hosts }: StateRelay): readonly string[] {
  return [
    '--cap-add',
    'CAP_NET_BIND_SERVICE',
    '--ro-bind',
    hosts,
    '/etc/hosts',
    '--bind',
    directory,
    RELAY_PLACE,
    '--ro-bind',
    process.execPath,
    RELAY_PROGRAM,
  ];
}

function unusable(why: string, cause?: unknown): Error {
  return new Error(
    `bubblewrap (bwrap) cannot be used: ${why}. Install it and allow user namespaces, or take --runs local, where runs are not kept apart from the server`,
    { cause },
  );
}

function firstLine(fault: unknown): string {
  const said = fault instanceof Error && 'stderr' in fault ? String(fault.stderr) : String(fault);
  return said.trim().split('\n')[0] ?? '';
}
