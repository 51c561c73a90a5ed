import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, WITHOUT } from './program.mjs';
import { startServer } from './server.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** The trials of boto3. @param program a python that has it */
export function runBoto3({ program, only }) {
  return play(program ?? 'python3', [join(HERE, 'boto3_trials.py'), ...words(only)]);
}

/** The trials of AWS's SDK for Go, which is fetched by the names in go.sum. @param program go */
export function runGoSdk(version) {
  return async ({ program, only }) => {
    const scratch = mkdtempSync(join(tmpdir(), 'upstream-go-'));
    try {
      const trials = join(scratch, 'trials');
      const { code } = await run(program ?? 'go', ['build', '-o', trials, '.'], {
        cwd: join(HERE, `go-sdk-${version}`),
      });
      if (code !== 0) throw new Error('the trials could not be built');
      return await play(trials, words(only));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  };
}

/** Runs trials that print `pass NAME` or `fail NAME: why`. */
async function play(program, args) {
  const server = await startServer();
  const env = {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.admin.id,
    AWS_SECRET_ACCESS_KEY: server.admin.secret,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  try {
    const { output } = await run(program, args, { env, without: WITHOUT });
    const told = [...output.matchAll(/^(pass|fail) ([^:\n]+)/gm)];
    return new Map(told.map(([, outcome, name]) => [name, outcome]));
  } finally {
    await server.stop();
  }
}

function words(only) {
  return only === undefined ? [] : [only];
}
