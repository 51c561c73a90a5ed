import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandTrials, runGoTrials, runNodeTrials, runPythonTrials } from './clouds.mjs';
import { certificateForAws, proxyTo } from './names-of-aws.mjs';
import { run, WITHOUT } from './program.mjs';
import { runBoto3, runGoSdk } from './sdks.mjs';
import { startServer } from './server.mjs';
import { runTerragrunt } from './terragrunt.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/**
 * Of each, the tests of what is understood and what is refused. The others put and read items of tables that are no lock tables;
 * batches are refused as a whole.
 */
const DYNALITE_SUITES = [
  'createTable',
  'deleteItem',
  'deleteTable',
  'describeTable',
  'describeTimeToLive',
  'getItem',
  'listTables',
  'listTagsOfResource',
  'putItem',
  'query',
  'scan',
  'tagResource',
  'untagResource',
  'updateItem',
  'updateTable',
];
/** Names of buckets are made of the second: the next test must not find what the one before could not remove. */
const NEXT_SECOND_MS = 1_050;

/** How each suite is run against a server: what it answers is the outcome of each test by its name. */
export const SUITES = {
  's3-tests': runS3Tests,
  dynalite: runDynalite,
  terraform: runGo,
  opentofu: runGo,
  terragrunt: runTerragrunt,
  boto3: runBoto3,
  'go-sdk-v1': runGoSdk('v1'),
  'go-sdk-v2': runGoSdk('v2'),
  'gcs-python': runPythonTrials('gcs_trials.py'),
  'gcs-node': runNodeTrials('gcs-trials.mjs'),
  gsutil: runCommandTrials('gsutil-trials.mjs', 'gsutil', { tls: true }),
  'azure-python': runPythonTrials('azure_trials.py', { tls: true }),
  'azure-node': runNodeTrials('azure-trials.mjs', { tls: true }),
  az: runCommandTrials('az-trials.mjs', 'az', { tls: true }),
  'consul-go': runGoTrials('consul-go'),
  'consul-python': runPythonTrials('consul_trials.py'),
  'consul-node': runNodeTrials('consul-trials.mjs'),
};

async function runS3Tests({ checkout, program, only }) {
  const server = await startServer();
  const scratch = mkdtempSync(join(tmpdir(), 'upstream-s3-'));
  try {
    const [settings, report] = [join(scratch, 's3tests.conf'), join(scratch, 'report.xml')];
    writeFileSync(settings, settingsOfS3Tests(server));
    const files = ['test_s3.py', 'test_headers.py'].map((name) => join('s3tests', 'functional', name));
    const plugin = ['-p', 'states_for_objects', '-p', 'no:cacheprovider'];
    const args = [
      '-m',
      'pytest',
      '-q',
      '--tb=no',
      '--durations=15',
      ...plugin,
      `--junit-xml=${report}`,
      ...files,
    ];
    if (only !== undefined) args.push('-k', only);
    const env = { S3TEST_CONF: settings, PYTHONPATH: HERE };
    await run(program ?? 'python3', args, { cwd: checkout, env });
    return outcomesOfReport(readFileSync(report, 'utf8'));
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function settingsOfS3Tests(server) {
  const other = server.credential('other', ['writer:nobody/*']);
  const section = (name, { id, secret }, more = '') =>
    `[${name}]\naccess_key = ${id}\nsecret_key = ${secret}\ndisplay_name = statehouse\nuser_id = statehouse\nemail = nobody@example.com\napi_name =\n${more}\n`;
  const where = `host = 127.0.0.1\nport = ${server.port}\nis_secure = False\nssl_verify = False`;
  return [
    `[DEFAULT]\n${where}\n[fixtures]\nbucket prefix = upstream-{random}-\n`,
    // Nothing is to be waited for: no life cycle is carried out.
    section(
      's3 main',
      server.admin,
      'lc_debug_interval = 0\nrgw_restore_debug_interval = 0\nrgw_restore_processor_period = 0',
    ),
    section('s3 tenant', other, 'tenant = none'),
    ...['s3 alt', 'iam', 'iam root', 'iam alt root'].map((name) => section(name, other)),
  ].join('');
}

/** A test that could not clean up after itself is judged by what it found before. */
function outcomesOfReport(xml) {
  const outcomes = new Map();
  for (const [, attributes, content = ''] of xml.matchAll(
    /<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = /\bname="([^"]*)"/.exec(attributes)?.[1];
    const outcome = content.includes('<failure') ? 'fail' : content.includes('<skipped') ? 'skip' : 'pass';
    if (name !== undefined && outcomes.get(name) !== 'fail') outcomes.set(name, outcome);
  }
  return outcomes;
}

async function runDynalite({ checkout, only }) {
  const outcomes = new Map();
  const mocha = join(checkout, 'node_modules', 'mocha', 'bin', '_mocha');
  const always = ['--exit', '--reporter', 'json', '--timeout', '20s', '--require', 'should'];
  for (const suite of DYNALITE_SUITES) {
    const server = await startServer();
    try {
      const args = [...always, '--file', join(HERE, 'server_for_dynalite.cjs')];
      args.push('--grep', only ?? `^${suite} (?:serializations|validations) `);
      const keys = { AWS_ACCESS_KEY_ID: server.admin.id, AWS_SECRET_ACCESS_KEY: server.admin.secret };
      const env = { ...keys, UPSTREAM_SERVER: server.url };
      const test = join('test', `${suite}.js`);
      const { output } = await run(process.execPath, [mocha, ...args, test], {
        cwd: checkout,
        env,
        without: WITHOUT,
      });
      const report = JSON.parse(output.slice(output.indexOf('{\n')));
      for (const { fullTitle } of report.passes) outcomes.set(fullTitle, 'pass');
      for (const { fullTitle } of report.failures) {
        if (!fullTitle.includes('hook')) outcomes.set(fullTitle, 'fail');
      }
    } finally {
      await server.stop();
    }
  }
  return outcomes;
}

/** @param program the test program of the package `internal/backend/remote-state/s3` */
async function runGo({ checkout, program, only }) {
  if (program === undefined)
    throw new Error('--program is missing: expected the test program of the package');
  const cwd = join(checkout, 'internal', 'backend', 'remote-state', 's3');
  const { key, certificate } = certificateForAws();
  const server = await startServer([`--tls-cert=${certificate}`, `--tls-key=${key}`]);
  const proxy = await proxyTo(server.port);
  const keys = { AWS_ACCESS_KEY_ID: server.admin.id, AWS_SECRET_ACCESS_KEY: server.admin.secret };
  const env = { ...keys, TF_ACC: '1', TF_S3_OBJECT_LOCK_TEST: '1', SSL_CERT_FILE: certificate };
  const outcomes = new Map();
  try {
    const listed = await run(program, ['-test.list', only ?? '.'], { cwd });
    for (const name of listed.output.split('\n').filter((line) => line.startsWith('Test'))) {
      const args = ['-test.run', `^${name}$`, '-test.v', '-test.timeout', '5m'];
      // Those about proxies say themselves which there are, and reach nobody.
      const reached = name.includes('Proxy') ? {} : { HTTPS_PROXY: proxy.url };
      const { output } = await run(program, args, { cwd, env: { ...env, ...reached }, without: WITHOUT });
      const [, said = 'FAIL'] = /^--- (PASS|FAIL|SKIP): /m.exec(output) ?? [];
      outcomes.set(name, said.toLowerCase());
      await new Promise((resolve) => setTimeout(resolve, NEXT_SECOND_MS));
    }
    return outcomes;
  } finally {
    proxy.close();
    await server.stop();
  }
}
