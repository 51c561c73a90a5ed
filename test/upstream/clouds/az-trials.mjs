// What "az storage" does with a container of states: PROGRAM is az.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../program.mjs';
import { ID, play, SECRET, SERVER, state } from './trials.mjs';

const { PROGRAM = 'az', HOME = '.' } = process.env;
const env = {
  AZURE_CONFIG_DIR: join(HOME, 'azure'),
  AZURE_CORE_COLLECT_TELEMETRY: 'no',
  AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=https;AccountName=${ID.toLowerCase()};AccountKey=${SECRET};BlobEndpoint=${SERVER}/azure/${ID.toLowerCase()};`,
};

function az(words) {
  return run(PROGRAM, ['storage', ...words, '--output', 'json', '--only-show-errors'], {
    env,
    quiet: true,
    minutes: 3,
  });
}

async function does(...words) {
  const { code, output } = await az(words);
  assert.equal(code, 0, `az storage ${words.join(' ')}: ${output}`);
  return output.trim() === '' ? null : JSON.parse(output);
}

async function isRefused(text, ...words) {
  const { code, output } = await az(words);
  assert.notEqual(code, 0, `az storage ${words.join(' ')} was not refused`);
  assert.match(output, text);
}

function file(name, body) {
  const path = join(HOME, name);
  writeFileSync(path, body);
  return path;
}

await play({
  'a state is put listed shown and fetched': async (container) => {
    assert.equal((await does('container', 'create', '--name', container)).created, true);
    const at = ['--container-name', container, '--name', 'net'];
    await does('blob', 'upload', ...at, '--file', file('one', state(1)), '--no-progress');
    await isRefused(
      /already exists/,
      'blob',
      'upload',
      ...at,
      '--file',
      file('one', state(1)),
      '--no-progress',
    );
    const back = join(HOME, 'back');
    await does('blob', 'download', ...at, '--file', back, '--no-progress');
    assert.deepEqual(readFileSync(back), state(1));
    const [listed] = await does('blob', 'list', '--container-name', container);
    assert.equal(listed.name, 'net');
    assert.equal((await does('blob', 'show', ...at)).properties.lease.state, 'available');
  },
  'a lease is taken changed broken and shown': async (container) => {
    const at = ['--container-name', container, '--blob-name', 'net'];
    const named = ['--container-name', container, '--name', 'net'];
    await does('blob', 'upload', ...named, '--file', file('one', state(1)), '--no-progress');
    const id = await does('blob', 'lease', 'acquire', ...at, '--lease-duration', '-1');
    await isRefused(
      /LeaseAlreadyPresent|already a lease/,
      'blob',
      'lease',
      'acquire',
      ...at,
      '--lease-duration',
      '15',
    );
    await isRefused(
      /lease/i,
      'blob',
      'upload',
      ...named,
      '--file',
      file('two', state(2)),
      '--overwrite',
      '--no-progress',
    );
    assert.equal((await does('blob', 'show', ...named)).properties.lease.state, 'leased');
    const other = '0c0c0c0c-1111-4222-8333-444444444444';
    await does('blob', 'lease', 'change', ...at, '--lease-id', id, '--proposed-lease-id', other);
    assert.equal(await does('blob', 'lease', 'break', ...at), 0);
    await does('blob', 'delete', ...named, '--delete-snapshots', 'include');
    assert.equal((await does('blob', 'exists', ...named)).exists, false);
  },
});
