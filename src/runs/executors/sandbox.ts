import { execFile } from 'node:child_process';
import { existsSync, readlinkSync, lstatSync } from 'node:fs';
import { promisify } from 'node:util';
import { findOnPath } from '../programs.ts';
import type { Executor, Work } from './executor.ts';
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
 * user without rights, with no other process in sight. They share the network, which providers need.
 */
export class SandboxExecutor implements Executor {
  readonly name = 'sandbox';
  readonly #bwrap: string;

  private constructor(bwrap: string) {
    this.#bwrap = bwrap;
  }

  /**
   * @param path directories as in PATH, where bubblewrap is looked for
   * @throws Error with words for the operator where it is not installed, or may not make what it needs
   */
  static async open(path: string): Promise<SandboxExecutor> {
    const bwrap = await findOnPath('bwrap', path);
    if (bwrap === null) throw unusable('it is not installed');
    try {
      const args = [...sandbox({ directory: '/usr', cwd: '/' }), '/bin/sh', '-c', ':'];
      await promisify(execFile)(bwrap, args, { env: {}, timeout: ASK_MS });
    } catch (fault) {
      throw unusable(firstLine(fault), fault);
    }
    return new SandboxExecutor(bwrap);
  }

  start(work: Work): ReturnType<Executor['start']> {
    const args = [
      ...sandbox(work),
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
      [...limitsOf(work), PROCESSES, SUPERVISOR].join('\n'),
      'run',
      PROGRAM,
      ...work.args,
    ];
    return startSupervised(this.#bwrap, args, work);
  }
}

function sandbox({ directory, cwd }: Pick<Work, 'directory' | 'cwd'>): readonly string[] {
  const system = SYSTEM.flatMap((path) => {
    if (!existsSync(path)) return [];
    return lstatSync(path).isSymbolicLink()
      ? ['--symlink', readlinkSync(path), path]
      : ['--ro-bind', path, path];
  });
  return [
    '--unshare-all',
    '--share-net',
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
