import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * Finds a program that tests drive, such as `terraform`. Where it is missing the caller skips its tests and says so.
 * @throws when it is missing and `CI` is set: there it must be installed
 */
export async function findProgram(name: string): Promise<string | null> {
  const found = await findOnPath(name);
  if (found === null && process.env['CI'] === 'true') {
    throw new Error(`${name} is not on PATH, and CI needs it`);
  }
  return found;
}

/** The first runnable file of this name on PATH, or null. */
export async function findOnPath(name: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = folder === '' ? null : await runnable(join(folder, name));
    if (found !== null) return found;
  }
  return null;
}

/** The path itself if it can be run, or null. */
export async function runnable(path: string): Promise<string | null> {
  return access(path, constants.X_OK).then(
    () => path,
    () => null,
  );
}

/** On PATH, or where Go installs programs. */
export async function findGoProgram(name: string): Promise<string | null> {
  const { GOBIN, GOPATH } = process.env;
  const folders = [GOBIN, ...(GOPATH ?? join(homedir(), 'go')).split(':').map((path) => join(path, 'bin'))];
  const there = folders.map((folder) =>
    folder === undefined || folder === '' ? null : runnable(join(folder, name)),
  );
  const found = await Promise.all([findOnPath(name), ...there]);
  return found.find((path) => path !== null) ?? null;
}
