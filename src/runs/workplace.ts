import {
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { IN_USE_FILE } from './left-behind.ts';
import { unpackSlug } from './slug/unpack.ts';

/** Takes the place of whatever backend the configuration names; its name comes after all others. */
const OVERRIDE = 'zzzzzzzz_statehouse_override.tf.json';
/** The backend is told by the environment, so that no plan file has anything of it. */
const BACKEND = JSON.stringify({ terraform: { backend: { http: {} } } });
/** What the server is called there, by the same name in all phases: a plan has it in it. No such host can be (RFC 2606). */
const HOSTNAME = 'statehouse.invalid';
const LOCK_FILE = '.terraform.lock.hcl';
const PLAN_FILE = 'plan';

/** How a `cloud` block finds the state of a run. */
export interface CloudPlace {
  readonly organization: string;
  readonly workspace: string;
  /** URLs of the server's services. */
  readonly services: Readonly<Record<string, string>>;
  readonly token: string;
}

/** The directory of one phase of a run: made for it, and gone after it. */
export class Workplace {
  /** All of it. */
  readonly directory: string;
  /** The root module's directory. */
  readonly module: string;
  /** Whether its state is reached by a `cloud` block, and not by what the environment tells. */
  readonly byCloud: boolean;

  private constructor(directory: string, module: string, byCloud: boolean) {
    this.directory = directory;
    this.module = module;
    this.byCloud = byCloud;
  }

  /**
   * @param root the directory of all runs
   * @param directory the root module's, in the archive; "" for its root
   * @param cloud null for a backend that the environment tells
   * @throws ArchiveError, or Error with words for the user, when there is no such directory
   */
  static async make(
    root: string,
    runId: string,
    archive: AsyncIterable<Uint8Array>,
    directory: string,
    cloud: CloudPlace | null = null,
  ): Promise<Workplace> {
    const place = join(root, runId);
    await rm(place, { recursive: true, force: true });
    await mkdir(root, { recursive: true, mode: 0o700 });
    await mkdir(place, { mode: 0o700 });
    await writeNew(join(place, IN_USE_FILE), '');
    for (const name of ['configuration', 'home', 'tmp']) await mkdir(join(place, name), { mode: 0o700 });
    const configuration = join(place, 'configuration');
    await unpackSlug(archive, configuration);
    const module = await realpath(join(configuration, directory)).catch(() => null);
    const base = await realpath(configuration);
    const isInside = module === base || module?.startsWith(`${base}${sep}`) === true;
    if (module === null || !isInside || !(await stat(module)).isDirectory())
      throw new Error(`the configuration has no directory "${directory}": check the working directory`);
    await writeNew(join(module, OVERRIDE), cloud === null ? BACKEND : cloudBlock(cloud));
    await writeNew(join(place, 'cli.tfrc'), cliConfig(cloud));
    return new Workplace(await realpath(place), module, cloud !== null);
  }

  /** Puts a file beside the configuration. @returns its path */
  async put(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.directory, name);
    await writeNew(path, content);
    return path;
  }

  get planFile(): string {
    return join(this.directory, PLAN_FILE);
  }

  async putPlan(plan: Uint8Array, lockFile: Uint8Array | null): Promise<void> {
    await writeNew(this.planFile, plan);
    if (lockFile !== null) await writeNew(join(this.module, LOCK_FILE), lockFile);
  }

  /** The plan that was made. @throws Error when it is larger than a limit */
  readPlan(most: number): Promise<Uint8Array | null> {
    return readRegular(this.planFile, most);
  }

  /** The versions of providers that init chose; null where it chose none. */
  readLockFile(most: number): Promise<Uint8Array | null> {
    return readRegular(join(this.module, LOCK_FILE), most);
  }

  /** Bytes of all that is in it, as far as it is there. */
  async size(): Promise<number> {
    let total = 0;
    const open = [this.directory];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
        const path = join(at, entry.name);
        if (entry.isDirectory()) open.push(path);
        else total += (await lstat(path).catch(() => null))?.size ?? 0;
      }
      await setImmediate();
    }
    return total;
  }

  /** Says that it is in use, so that nobody takes it for left behind. */
  async use(): Promise<void> {
    const now = new Date();
    await lutimes(join(this.directory, IN_USE_FILE), now, now).catch(() => undefined);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

function cloudBlock({ organization, workspace: name }: CloudPlace): string {
  const cloud = { hostname: HOSTNAME, organization, workspaces: { name } };
  return JSON.stringify({ terraform: { cloud } });
}

/** The token is in no file of the configuration, and so in no plan. */
function cliConfig(cloud: CloudPlace | null): string {
  const own =
    cloud === null
      ? {}
      : {
          host: { [HOSTNAME]: { services: cloud.services } },
          credentials: { [HOSTNAME]: { token: cloud.token } },
        };
  return JSON.stringify({ disable_checkpoint: true, ...own });
}

/** Writes a file in the place of whatever is there, and follows no link. */
async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await writeFile(path, content, { flag: 'wx', mode: 0o600 });
}

/** A file that a program made: what is no regular file is not read. */
async function readRegular(path: string, most: number): Promise<Uint8Array | null> {
  const found = await lstat(path).catch(() => null);
  if (found === null || !found.isFile()) return null;
  if (found.size > most)
    throw new Error(`${path.split(sep).at(-1) ?? ''} is larger than ${Math.floor(most / 1_048_576)} MiB`);
  const handle = await open(path);
  try {
    return await readFile(handle);
  } finally {
    await handle.close();
  }
}
