import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeKeyFile } from '../../src/protocols/gcs/key-file.ts';
import { findPython } from '../support/find-python.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const python = await findPython('google.cloud.storage');

const SCRIPT = `
import json, os
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound, PreconditionFailed
from google.auth.exceptions import RefreshError
from google.cloud import storage
from google.oauth2.credentials import Credentials

def state(serial, filler=''):
    return json.dumps({'version': 4, 'terraform_version': '1.11.4', 'serial': serial, 'lineage': 'l',
                       'outputs': {}, 'resources': [], 'filler': filler}).encode()

def fails(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return str(error)
    raise AssertionError(f'no {kind}')

def client(token):
    return storage.Client(project='p', credentials=Credentials(token), client_options={'api_endpoint': os.environ['AT']})

c = client(os.environ['TOKEN'])
b = c.create_bucket('acme')
fails(Conflict, c.create_bucket, 'acme')
assert c.get_bucket('acme').versioning_enabled
assert [one.name for one in c.list_buckets()] == ['acme']

blob = b.blob('py/app/default.tfstate')
blob.upload_from_string(state(1), if_generation_match=0)
fails(PreconditionFailed, blob.upload_from_string, state(2), if_generation_match=0)
assert blob.generation == 1
blob.upload_from_string(state(2), if_generation_match=1)
assert blob.download_as_bytes() == state(2)
assert blob.download_as_bytes(checksum='md5') == state(2)
assert blob.download_as_bytes(start=2, end=5) == state(2)[2:6]
blob.reload()
assert (blob.generation, blob.size) == (2, len(state(2)))
assert b.blob(blob.name, generation=1).download_as_bytes() == state(1)
versions = list(b.list_blobs(prefix=blob.name, versions=True))
assert [(one.generation, one.time_deleted is None) for one in versions] == [(2, True), (1, False)], versions
fails(PreconditionFailed, blob.upload_from_string, state(1))

lock = b.blob('py/app/default.tflock')
info = json.dumps({'ID': '5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c13', 'Operation': 'by hand', 'Info': '', 'Who': 'py@host',
                   'Version': '1.11.4', 'Created': '2026-01-01T00:00:00Z', 'Path': ''})
lock.upload_from_string(info, if_generation_match=0)
assert json.loads(lock.download_as_bytes())['Who'] == 'py@host'
assert [one.name for one in b.list_blobs(prefix='py/app/')] == ['py/app/default.tflock', 'py/app/default.tfstate']
fails(PreconditionFailed, lock.delete, if_generation_match=lock.generation + 1)
lock.delete(if_generation_match=lock.generation)
assert not lock.exists()

big = b.blob('py/big/default.tfstate', chunk_size=5 * 1024 * 1024)
body = state(1, 'x' * 20_000_000)
big.upload_from_string(body)
assert big.download_as_bytes() == body
copied = b.copy_blob(blob, b, 'py/copy/default.tfstate')
assert copied.download_as_bytes() == state(2)
assert [one.name for one in b.list_blobs(prefix='py/', max_results=2)] == ['py/app/default.tfstate', 'py/big/default.tfstate']
listing = b.list_blobs(prefix='py/', delimiter='/')
assert (list(listing), sorted(listing.prefixes)) == ([], ['py/app/', 'py/big/', 'py/copy/'])

blob.delete()
again = b.blob(blob.name)
assert not again.exists() and not b.blob('py/none/default.tfstate').exists()
fails(NotFound, again.download_as_bytes)
# The versions of a deleted state stay, and one of them brings it back.
assert blob.download_as_bytes() == state(2)
b.copy_blob(blob, b, blob.name, source_generation=2)
assert again.exists()
assert 'cannot have this name' in fails(BadRequest, b.blob('x.txt').upload_from_string, 'x')
copied.metadata = {'a': 'b'}
fails(GoogleAPICallError, copied.patch, retry=None)
# The library takes a 401 for a token that has ended, and has no other.
fails(RefreshError, client('nobody.nothing').get_bucket, 'acme')
# A service account's key file is exchanged for access tokens at its token_uri.
from google.oauth2 import service_account
key = service_account.Credentials.from_service_account_file(os.environ['KEY'], scopes=['https://www.googleapis.com/auth/devstorage.read_write'])
by_key = storage.Client(project='p', credentials=key, client_options={'api_endpoint': os.environ['AT']})
assert by_key.bucket('acme').blob(copied.name).download_as_bytes() == state(2)
print('all is well')
`;

it.skipIf(python === null)(
  'Python with google-cloud-storage at the gcs door (skipped unless a python3 on PATH has it)',
  { timeout: 120_000 },
  async () => {
    await using house = await TestHouse.open();
    const folder = await mkdtemp(join(tmpdir(), 'statehouse-python-'));
    await writeFile(join(folder, 'script.py'), SCRIPT);
    const key = join(folder, 'key.json');
    await writeFile(key, makeKeyFile({ url: house.url, credential: TEST_ADMIN }));
    const env = { ...process.env, KEY: key, AT: house.url, TOKEN: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
    const { code, output } = await new RunningProgram(python!, ['script.py'], { cwd: folder, env }).end;
    expect(output).toContain('all is well');
    expect(code).toBe(0);
    await rm(folder, { recursive: true, force: true });
  },
);
