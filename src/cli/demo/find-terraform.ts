import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A program that can play: terraform or tofu, and what it calls itself. */
export interface FoundTerraform {
  readonly program: string;
  /** `terraform 1.11.4` */
  readonly title: string;
}

/** The first version with `terraform_data`, which needs no provider from the network. */
const OLDEST: readonly [major: number, minor: number] = [1, 4];
const PATIENCE_MS = 10_000;

/** terraform, or else tofu, on PATH and new enough; null when there is neither. */
export async function findTerraform(env: NodeJS.ProcessEnv): Promise<FoundTerraform | null> {
  for (const program of ['terraform', 'tofu']) {
    const version = await versionOf(program, env);
    if (version !== null) return { program, title: `${program} ${version}` };
  }
  return null;
}

async function versionOf(program: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, ['version', '-json'], {
      env: { ...env, CHECKPOINT_DISABLE: '1' },
      timeout: PATIENCE_MS,
    });
    const { terraform_version: version } = JSON.parse(stdout) as { terraform_version?: unknown };
    if (typeof version !== 'string') return null;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]) ? version : null;
  } catch {
    // Not there, or nothing that answers as terraform does.
    return null;
  }
}
