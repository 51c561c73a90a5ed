import { BackendFault } from '../../../ports/state-client.ts';
import { loadOptional } from '../../optional-package.ts';

/** What a record lock looks like on one system: <fcntl.h> as the system's C library has it, 64-bit. */
interface Abi {
  readonly getLock: number;
  readonly setLock: number;
  readonly writeLock: number;
  readonly unlock: number;
  readonly size: number;
  /** Offsets of `l_type` and `l_pid` in `struct flock`; start, length and whence stay 0: the whole file. */
  readonly typeAt: number;
  readonly pidAt: number;
  /** errno values that mean: somebody else has it. */
  readonly busy: readonly number[];
}

const BSD = { writeLock: 3, unlock: 2, typeAt: 20, pidAt: 16, busy: [35, 13] } as const;
const ABIS: Readonly<Record<string, Abi>> = {
  linux: { getLock: 5, setLock: 6, writeLock: 1, unlock: 2, size: 32, typeAt: 0, pidAt: 24, busy: [11, 13] },
  darwin: { ...BSD, getLock: 7, setLock: 8, size: 24 },
  freebsd: { ...BSD, getLock: 11, setLock: 12, size: 32 },
};
const ARCHITECTURES = new Set(['x64', 'arm64', 'riscv64', 'loong64', 'ppc64']);

/**
 * POSIX record locks over a whole file, which Node has no call for. Terraform takes these on the state file itself
 * (internal/states/statemgr/filesystem_lock_unix.go); flock(2) and lock files would not exclude it. They belong to the
 * process: closing any descriptor of the file lets go of them.
 */
export interface RecordLocks {
  /** Takes the write lock, or says that another process has it. */
  acquire(fd: number): boolean;
  release(fd: number): void;
  /** The process that holds a lock on the file; null when none but ourselves does. */
  holder(fd: number): number | null;
}

let loaded: Promise<RecordLocks> | null = null;

/** Loads the C library's `fcntl`, once. */
export function loadRecordLocks(): Promise<RecordLocks> {
  loaded ??= bind();
  return loaded;
}

async function bind(): Promise<RecordLocks> {
  const abi = ABIS[process.platform];
  if (abi === undefined || !ARCHITECTURES.has(process.arch)) {
    throw new BackendFault(
      'other',
      `locks on local state files are not supported on ${process.platform} (${process.arch})`,
      'They work on 64-bit Linux, macOS and FreeBSD. Reading states works everywhere.',
    );
  }
  const { default: koffi } = await loadOptional('a lock on a local state file', 'koffi', import('koffi'));
  const fcntl = koffi.load(null).func('int fcntl(int, int, ...)');
  const call = (fd: number, command: number, type: number): { failed: number; type: number; pid: number } => {
    const record = Buffer.alloc(abi.size);
    record.writeInt16LE(type, abi.typeAt);
    const answer: unknown = fcntl(fd, command, 'void *', record);
    const failed = answer === -1 ? koffi.errno() : 0;
    return { failed, type: record.readInt16LE(abi.typeAt), pid: record.readInt32LE(abi.pidAt) };
  };
  const fail = (errno: number): never => {
    throw new BackendFault('other', `the state file cannot be locked: fcntl failed with errno ${errno}`);
  };
  return {
    acquire: (fd) => {
      const { failed } = call(fd, abi.setLock, abi.writeLock);
      if (failed === 0) return true;
      return abi.busy.includes(failed) ? false : fail(failed);
    },
    release: (fd) => {
      const { failed } = call(fd, abi.setLock, abi.unlock);
      if (failed !== 0) fail(failed);
    },
    holder: (fd) => {
      const { failed, type, pid } = call(fd, abi.getLock, abi.writeLock);
      if (failed !== 0) fail(failed);
      return type === abi.unlock ? null : pid;
    },
  };
}
