// What programs with @google-cloud/storage do with a bucket of states.
import assert from 'node:assert/strict';
import { library, ID, lockInfo, play, refused, SECRET, SERVER, state } from './trials.mjs';

const { Storage } = library('@google-cloud/storage');
const { OAuth2Client } = library('google-auth-library');

function clientOf(token) {
  const authClient = new OAuth2Client();
  authClient.setCredentials({ access_token: token });
  return new Storage({
    apiEndpoint: SERVER,
    projectId: 'p',
    useAuthWithCustomEndpoint: true,
    authClient,
    retryOptions: { autoRetry: false },
  });
}

const storage = clientOf(`${ID}.${SECRET}`);
const fileIn = (bucket, name = 'net/default.tfstate', more = {}) => storage.bucket(bucket).file(name, more);
const code = (status) => (fault) => fault.code === status;
const save = (file, body, preconditionOpts = {}) => file.save(body, { resumable: false, preconditionOpts });
const read = async (file, options = {}) => (await file.download(options))[0];

await play({
  'a bucket is made told and listed': async (bucket) => {
    await storage.createBucket(bucket);
    await refused(storage.createBucket(bucket), code(409));
    assert.deepEqual(await storage.bucket(bucket).exists(), [true]);
    const [told] = await storage.bucket(bucket).getMetadata();
    assert.equal(told.versioning.enabled, true);
    const [all] = await storage.getBuckets();
    assert.ok(all.some(({ name }) => name === bucket));
    await storage.bucket(bucket).setMetadata({ versioning: { enabled: true } });
  },
  'a state is written on the condition of its generation': async (bucket) => {
    const file = fileIn(bucket);
    await save(file, state(1), { ifGenerationMatch: 0 });
    await refused(save(file, state(2), { ifGenerationMatch: 0 }), code(412));
    await save(file, state(2), { ifGenerationMatch: 1 });
    await refused(save(file, state(3), { ifMetagenerationMatch: 7 }), code(412));
    assert.deepEqual(await read(file), state(2));
  },
  'a state is read whole in part and against its digest': async (bucket) => {
    const file = fileIn(bucket);
    await file.save(state(1), { resumable: false, validation: 'md5' });
    assert.deepEqual(await read(file, { validation: 'md5' }), state(1));
    assert.deepEqual(await read(file, { start: 2, end: 5 }), state(1).subarray(2, 6));
    const [told] = await file.getMetadata();
    assert.deepEqual([told.generation, told.size].map(String), ['1', String(state(1).length)]);
  },
  'a large state is uploaded in pieces': async (bucket) => {
    const body = state(1, 'x'.repeat(6_000_000));
    await fileIn(bucket).save(body, { resumable: true, chunkSize: 1 << 20, validation: 'crc32c' });
    assert.deepEqual(await read(fileIn(bucket)), body);
  },
  'old versions are listed read and brought back': async (bucket) => {
    const file = fileIn(bucket);
    for (const serial of [1, 2]) await save(file, state(serial));
    assert.deepEqual(await read(fileIn(bucket, file.name, { generation: 1 })), state(1));
    const [versions] = await storage.bucket(bucket).getFiles({ versions: true, prefix: file.name });
    assert.deepEqual(
      versions.map(({ metadata }) => String(metadata.generation)),
      ['2', '1'],
    );
    await file.delete();
    assert.deepEqual(await file.exists(), [false]);
    await refused(read(file), code(404));
    await fileIn(bucket, file.name, { generation: 1 }).copy(file);
    assert.deepEqual(await file.exists(), [true]);
  },
  'a lock is taken once and released by its generation': async (bucket) => {
    const lock = fileIn(bucket, 'net/default.tflock');
    const [one, two] = ['5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c13', '6e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c13'];
    await save(lock, lockInfo(one), { ifGenerationMatch: 0 });
    assert.equal(JSON.parse(await read(lock)).Who, 'node@host');
    await refused(save(lock, lockInfo(two), { ifGenerationMatch: 0 }), code(412));
    const generation = Number((await lock.getMetadata())[0].generation);
    await refused(lock.delete({ ifGenerationMatch: generation + 1 }), code(412));
    await lock.delete({ ifGenerationMatch: generation });
    assert.deepEqual(await lock.exists(), [false]);
  },
  'states are listed by pages and folders': async (bucket) => {
    const names = ['a', 'b', 'c'].map((key) => `${key}/default.tfstate`);
    for (const name of names) await save(fileIn(bucket, name), state(1));
    const [all] = await storage.bucket(bucket).getFiles({ maxResults: 2, autoPaginate: false });
    assert.deepEqual(
      all.map(({ name }) => name),
      names.slice(0, 2),
    );
    const [, , page] = await storage.bucket(bucket).getFiles({ delimiter: '/', autoPaginate: false });
    assert.deepEqual(page.prefixes, ['a/', 'b/', 'c/']);
  },
  "a customer's own key is refused and never ignored": async (bucket) => {
    const file = fileIn(bucket);
    await save(file, state(1));
    await refused(save(fileIn(bucket, file.name, { encryptionKey: Buffer.alloc(32) }), state(2)), code(400));
    assert.deepEqual(await read(file), state(1));
  },
  'what is not done says so': async (bucket) => {
    await save(fileIn(bucket), state(1));
    await refused(save(fileIn(bucket, 'x.txt'), 'x'), ({ message }) => /cannot have this name/.test(message));
    const refusal = ({ message }) => /not supported/.test(message);
    await refused(fileIn(bucket).setMetadata({ metadata: { a: 'b' } }), refusal);
    const [one, two] = ['net/default.tfstate', 'd/default.tfstate'];
    await refused(storage.bucket(bucket).combine([one], two), refusal);
  },
  'a wrong token is refused': (bucket) =>
    refused(clientOf('nobody.nothing').bucket(bucket).getMetadata(), code(401)),
  'a key file is exchanged for access tokens': async (bucket) => {
    await save(fileIn(bucket), state(1));
    const keyFilename = process.env.KEY_FILE;
    const byKey = new Storage({
      apiEndpoint: SERVER,
      projectId: 'p',
      useAuthWithCustomEndpoint: true,
      keyFilename,
    });
    assert.deepEqual(await read(byKey.bucket(bucket).file('net/default.tfstate')), state(1));
  },
});
