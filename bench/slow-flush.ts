import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from '../test/support/find-program.ts';
import { RunningProgram } from '../test/support/running-program.ts';

/** What an ordinary disk takes to make a write durable. */
export const SLOW_FLUSH_MS = 4;

const SOURCE = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static void pause_as_a_disk_does(void) {
  struct timespec t = { 0, ${SLOW_FLUSH_MS} * 1000000L };
  nanosleep(&t, 0);
}

int fsync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  pause_as_a_disk_does();
  return real(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  pause_as_a_disk_does();
  return real(fd);
}
`;

/**
 * Makes every flush of a process slower, as on a disk that is not a cloud's.
 * @returns the environment to start it with; null where there is no C compiler
 */
export async function slowFlushes(): Promise<Readonly<Record<string, string>> | null> {
  const compiler = await findOnPath('cc');
  if (compiler === null) return null;
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-bench-'));
  const [source, library] = [join(directory, 'slow-flush.c'), join(directory, 'slow-flush.so')];
  await writeFile(source, SOURCE);
  const flags = ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'];
  const { code, output } = await new RunningProgram(compiler, flags, { cwd: directory, env: process.env })
    .end;
  if (code !== 0) throw new Error(`the slow flush does not compile: ${output}`);
  return { LD_PRELOAD: library };
}
