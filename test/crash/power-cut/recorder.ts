import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SOURCE = new URL('./recorder.c', import.meta.url).pathname;

/** Whether a process can be recorded here: that takes Linux and a C compiler. */
export function hasCompiler(): boolean {
  return process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;
}

/** What makes a process record what it does to the files below a directory: add it to its environment. */
export async function recorded(
  directory: string,
  recording: string,
): Promise<Readonly<Record<string, string>>> {
  const library = join(directory, 'recorder.so');
  const flags = ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl', '-lpthread'];
  await promisify(execFile)('cc', flags);
  return { LD_PRELOAD: library, RECORD_DIRECTORY: directory, RECORD_FILE: recording };
}
