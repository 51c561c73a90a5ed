// What gsutil does with a bucket of states: PROGRAM is gsutil, and KEY_FILE a service account's key.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../program.mjs';
import { lockInfo, play, SERVER, state } from './trials.mjs';

const { PROGRAM = 'gsutil', HOME = '.', KEY_FILE = '' } = process.env;
const { hostname, port } = new URL(SERVER);
const config = join(HOME, 'boto');
const sections = {
  Credentials: {
    gs_service_key_file: KEY_FILE,
    gs_json_host: hostname,
    gs_json_port: port,
  },
  // gsutil does not heed the token_uri of a key file.
  OAuth2: { provider_token_uri: `${SERVER}/gcs/token` },
  // It trusts no certificate of one's own where it asks for its token.
  Boto: { https_validate_certificates: 'False', num_retries: '0' },
  GSUtil: {
    prefer_api: 'json',
    default_project_id: 'p',
    resumable_threshold: '1048576',
    check_hashes: 'always',
  },
};
writeFileSync(
  config,
  Object.entries(sections)
    .map(
      ([name, lines]) =>
        `[${name}]\n${Object.entries(lines)
          .map(([key, text]) => `${key} = ${text}\n`)
          .join('')}`,
    )
    .join(''),
);

async function gsutil(...args) {
  const env = { BOTO_CONFIG: config, CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL: '0', HOME };
  return run(PROGRAM, ['-o', `GSUtil:state_dir=${join(HOME, 'state')}`, ...args], {
    env,
    quiet: true,
    minutes: 3,
  });
}

async function does(...args) {
  const { code, output } = await gsutil(...args);
  assert.equal(code, 0, `gsutil ${args.join(' ')}: ${output}`);
  return output;
}

function file(name, body) {
  const path = join(HOME, name);
  writeFileSync(path, body);
  return path;
}

await play({
  'a bucket is made and listed': async (bucket) => {
    await does('mb', `gs://${bucket}`);
    assert.match(await does('ls'), new RegExp(`gs://${bucket}/`));
    assert.match(await does('versioning', 'get', `gs://${bucket}`), /Enabled/);
  },
  'a state is copied there and back': async (bucket) => {
    const object = `gs://${bucket}/net/default.tfstate`;
    await does('cp', file('one', state(1)), object);
    await does('cp', object, join(HOME, 'back'));
    assert.deepEqual(readFileSync(join(HOME, 'back')), state(1));
    assert.equal(await does('-q', 'cat', object), state(1).toString());
    assert.match(await does('stat', object), /Generation:\s+1\b/);
  },
  'states are listed and copied on the server': async (bucket) => {
    await does('cp', file('one', state(1)), `gs://${bucket}/a/default.tfstate`);
    await does('cp', `gs://${bucket}/a/default.tfstate`, `gs://${bucket}/b/default.tfstate`);
    const listed = await does('ls', '-r', `gs://${bucket}`);
    assert.match(listed, /a\/default\.tfstate[^]*b\/default\.tfstate/);
  },
  'a large state is copied in pieces': async (bucket) => {
    const object = `gs://${bucket}/net/default.tfstate`;
    const large = state(1, 'x'.repeat(3_000_000));
    await does('cp', file('large', large), object);
    await does('cp', object, join(HOME, 'back'));
    assert.deepEqual(readFileSync(join(HOME, 'back')), large);
  },
  'a lock keeps others out': async (bucket) => {
    const lock = `gs://${bucket}/net/default.tflock`;
    await does('-h', 'x-goog-if-generation-match:0', 'cp', file('lock', lockInfo('one')), lock);
    const { code, output } = await gsutil(
      '-h',
      'x-goog-if-generation-match:0',
      'cp',
      file('lock', lockInfo('two')),
      lock,
    );
    assert.notEqual(code, 0);
    assert.match(output, /PreconditionException|412/);
    await does('rm', lock);
  },
  'what was removed is restored from a version': async (bucket) => {
    const object = `gs://${bucket}/net/default.tfstate`;
    await does('cp', file('one', state(1)), object);
    await does('rm', object);
    const listed = await does('ls', '-a', object);
    const [version] = /gs:\S+#\d+/.exec(listed) ?? [];
    await does('cp', version, object);
    // What is restored is the next version, with a serial above all that there were.
    assert.equal(await does('-q', 'cat', object), state(2).toString());
  },
  'what is no state is refused in words': async (bucket) => {
    const { code, output } = await gsutil(
      'cp',
      file('text', 'no state'),
      `gs://${bucket}/net/default.tfstate`,
    );
    assert.notEqual(code, 0);
    assert.match(output, /not a JSON object/);
  },
});
