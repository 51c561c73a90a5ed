import { delimiter, join } from 'node:path';
import { runnable } from './find-program.ts';
import { RunningProgram } from './running-program.ts';

/** The first Python on PATH that has a module, such as `google.cloud.storage`; null where there is none. */
export async function findPython(module: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const python = folder === '' ? null : await runnable(join(folder, 'python3'));
    if (python === null) continue;
    const wants = ['-c', `import ${module}`];
    const { code } = await new RunningProgram(python, wants, { cwd: '/', env: process.env }).end;
    if (code === 0) return python;
  }
  return null;
}
