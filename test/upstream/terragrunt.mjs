import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, WITHOUT } from './program.mjs';
import { startServer } from './server.mjs';

/** Settings of `remote_state` that have terragrunt make and look after more. */
const KINDS = {
  'lock file': 'use_lockfile = true',
  table: 'dynamodb_table = "terragrunt-locks"',
  'file and table': 'use_lockfile = true\n    dynamodb_table = "terragrunt-locks"',
  'encrypted table': 'dynamodb_table = "encrypted-locks"\n    enable_lock_table_ssencryption = true',
  'access logging':
    'use_lockfile = true\n    accesslogging_bucket_name = "logs"\n    accesslogging_target_prefix = "tf/"',
  tags: 'dynamodb_table = "tagged-locks"\n    s3_bucket_tags = { team = "net" }\n    dynamodb_table_tags = { team = "net" }',
};

/**
 * Terragrunt's set-up, runs, migrations and deletions, with each kind of settings.
 * @param program terragrunt; terraform has to be on PATH
 */
export async function runTerragrunt({ program, only }) {
  const server = await startServer();
  const outcomes = new Map();
  try {
    for (const [kind, settings] of Object.entries(KINDS)) {
      if (only !== undefined && !kind.includes(only)) continue;
      await playKind(server, program ?? 'terragrunt', { kind, settings }, outcomes);
    }
    return outcomes;
  } finally {
    await server.stop();
  }
}

async function playKind(server, program, { kind, settings }, outcomes) {
  const root = mkdtempSync(join(tmpdir(), 'upstream-terragrunt-'));
  const bucket = `terragrunt-${kind.replaceAll(' ', '-')}`;
  writeFileSync(
    join(root, 'root.hcl'),
    `remote_state {\n  backend = "s3"\n  generate = {\n    path = "backend.tf"\n    if_exists = "overwrite"\n  }\n  config = {\n    bucket = "${bucket}"\n    key = "\${path_relative_to_include()}/tofu.tfstate"\n    region = "us-east-1"\n    encrypt = true\n    ${settings}\n  }\n}\n`,
  );
  for (const unit of ['one', 'two']) {
    mkdirSync(join(root, unit));
    writeFileSync(
      join(root, unit, 'terragrunt.hcl'),
      'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n',
    );
    writeFileSync(
      join(root, unit, 'main.tf'),
      `resource "terraform_data" "a" {\n  input = "of ${unit}"\n}\n`,
    );
  }
  const env = {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: server.admin.id,
    AWS_SECRET_ACCESS_KEY: server.admin.secret,
    AWS_EC2_METADATA_DISABLED: 'true',
    TG_NON_INTERACTIVE: 'true',
    TG_TF_PATH: 'terraform',
    TG_NO_COLOR: 'true',
  };
  const ask = (unit, ...args) =>
    run(program, args, { cwd: join(root, unit), env, minutes: 5, quiet: true, without: WITHOUT });
  const step = async (name, unit, args, isDone = () => true) => {
    const { code, output } = await ask(unit, ...args);
    const passed = code === 0 && (await isDone());
    outcomes.set(`${kind}: ${name}`, passed ? 'pass' : 'fail');
    if (!passed) process.stderr.write(`${kind}: ${name} ended with ${code}:\n${output}\n`);
  };
  const shows = async (unit, text) => (await ask(unit, 'state', 'pull')).output.includes(text);
  await step('backend bootstrap', 'one', ['backend', 'bootstrap']);
  await step('backend bootstrap again', 'one', ['backend', 'bootstrap']);
  await step('apply', 'one', ['apply', '-auto-approve'], () => shows('one', 'of one'));
  await step('apply again', 'one', ['apply', '-auto-approve']);
  await step('backend migrate', '.', ['backend', 'migrate', 'one', 'two'], () => shows('two', 'of one'));
  await step('apply what was migrated', 'two', ['apply', '-auto-approve'], () => shows('two', 'of two'));
  await step(
    'backend delete',
    'two',
    ['backend', 'delete', '--force'],
    async () => !(await shows('two', 'of two')),
  );
  rmSync(root, { recursive: true, force: true });
}
