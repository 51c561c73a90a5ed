import { lstatSync, mkdirSync, statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../ports/environment.ts';

interface Caching {
  /** From Node 22.8 on. */
  readonly enableCompileCache?: (directory: string) => unknown;
}

/**
 * Has Node keep what it has compiled, where it can, so that the next start need not: in a folder of the user's cache that is the user's
 * alone, because whoever may write there has this program run what they like. Node's own choice, a folder in /tmp with a known name,
 * is not. Nothing is said where there is no such folder: it is only slower.
 */
export function keepCompiled(
  env: Environment,
  enable: ((folder: string) => unknown) | undefined = (nodeModule as Caching).enableCompileCache,
): void {
  if (enable === undefined || process.platform === 'win32') return;
  const given = env['XDG_CACHE_HOME'];
  const home = given !== undefined && isAbsolute(given) ? given : (env['HOME'] ?? homedir());
  const folder =
    home === given ? join(home, 'statehouse-compiled') : join(home, '.cache', 'statehouse-compiled');
  try {
    // Root with the HOME of another user must not run what that user left there.
    if (statSync(home).uid !== process.getuid?.()) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) return;
    enable(folder);
  } catch {
    // The home is not there, or may not be written.
  }
}
