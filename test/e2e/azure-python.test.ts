import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findPython } from '../support/find-python.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const python = await findPython('azure.storage.blob');

const SCRIPT = `
import base64, json, os, uuid
from datetime import datetime, timedelta, timezone
from azure.core import MatchConditions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import (AccountSasPermissions, BlobBlock, BlobClient, BlobLeaseClient, BlobServiceClient, ContainerClient,
                                ContainerSasPermissions, ResourceTypes, generate_account_sas, generate_container_sas)

def state(serial, filler=''):
    return json.dumps({'version': 4, 'terraform_version': '1.11.4', 'serial': serial, 'lineage': 'l',
                       'outputs': {}, 'resources': [], 'filler': filler}).encode()

def fails(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f'no {kind}')

account, secret = os.environ['ID'].lower(), os.environ['SECRET']
endpoint = f"{os.environ['AT']}/azure/{account}"
service = BlobServiceClient(endpoint, credential=secret)
container = service.create_container('acme')
fails(ResourceExistsError, service.create_container, 'acme')
assert [one.name for one in service.list_containers()] == ['acme']
assert container.get_container_properties().name == 'acme'
assert service.get_account_information()['account_kind'] == 'StorageV2'
service.get_service_properties()

blob = container.get_blob_client('py/app')
blob.upload_blob(state(1))
fails(ResourceExistsError, blob.upload_blob, state(2))
first = blob.get_blob_properties()
assert (first.size, first.lease.status, first.metadata) == (len(state(1)), 'unlocked', {})
blob.upload_blob(state(2), overwrite=True, etag=first.etag, match_condition=MatchConditions.IfNotModified, validate_content=True)
fails(ResourceModifiedError, blob.upload_blob, state(3), overwrite=True, etag=first.etag, match_condition=MatchConditions.IfNotModified)
assert blob.download_blob(validate_content=True).readall() == state(2)
assert blob.download_blob(offset=2, length=4).readall() == state(2)[2:6]
fails(ResourceModifiedError, blob.upload_blob, state(1), overwrite=True)

lease = BlobLeaseClient(blob)
lease.acquire(lease_duration=15)
seen = blob.get_blob_properties()
assert (seen.lease.status, seen.lease.state, seen.lease.duration) == ('locked', 'leased', 'fixed')
assert json.loads(base64.b64decode(seen.metadata['terraformlockid']))['ID'] == lease.id
fails(ResourceExistsError, BlobLeaseClient(blob).acquire)
fails(HttpResponseError, blob.upload_blob, state(3), overwrite=True)
lease.renew()
info = json.dumps({'ID': lease.id, 'Operation': 'by hand', 'Info': '', 'Who': 'py@host',
                   'Version': '1.11.4', 'Created': '2026-01-01T00:00:00Z', 'Path': ''})
blob.set_blob_metadata({'terraformlockid': base64.b64encode(info.encode()).decode()}, lease=lease)
blob.upload_blob(state(3), overwrite=True, lease=lease)
assert json.loads(base64.b64decode(blob.get_blob_properties().metadata['terraformlockid']))['Who'] == 'py@host'
lease.release()
other = BlobLeaseClient(blob)
other.acquire()
assert other.break_lease() == 0
fails(HttpResponseError, blob.upload_blob, state(4), overwrite=True, lease=other)

old = blob.create_snapshot()['snapshot']
blob.upload_blob(state(4), overwrite=True)
assert BlobClient(endpoint, 'acme', 'py/app', snapshot=old, credential=secret).download_blob().readall() == state(3)
assert len(list(container.list_blobs(name_starts_with='py/app', include=['snapshots']))) == 4
assert [one.is_current_version for one in container.list_blobs(name_starts_with='py/app', include=['versions'])][0]

pieces = BlobClient(endpoint, 'acme', 'py/big', credential=secret, max_single_put_size=1024, max_block_size=300_000)
body = state(1, 'x' * 3_000_000)
pieces.upload_blob(body, max_concurrency=4)
assert pieces.download_blob(max_concurrency=4).readall() == body
by_hand = container.get_blob_client('py/hand')
halves = state(1)[:20], state(1)[20:]
for name, half in zip(('one', 'two'), halves):
    by_hand.stage_block(name, half)
assert len(by_hand.get_block_list('uncommitted')[1]) == 2
by_hand.commit_block_list([BlobBlock('one'), BlobBlock('two')])
assert by_hand.download_blob().readall() == state(1)
assert [len(list(page)) for page in container.list_blobs(results_per_page=2).by_page()] == [2, 1]
assert [one.name for one in container.walk_blobs()] == ['py/']

later = datetime.now(timezone.utc) + timedelta(hours=1)
sas = generate_account_sas(account, secret, ResourceTypes(service=True, container=True, object=True), AccountSasPermissions(read=True, list=True), later)
reader = BlobServiceClient(endpoint, credential=sas)
assert reader.get_blob_client('acme', 'py/app').download_blob().readall() == state(4)
fails(HttpResponseError, reader.get_blob_client('acme', 'py/app').upload_blob, state(5), overwrite=True)
sas = generate_container_sas(account, 'acme', secret, permission=ContainerSasPermissions(read=True, write=True, list=True), expiry=later)
ContainerClient(endpoint, 'acme', credential=sas).get_blob_client('py/app').upload_blob(state(5), overwrite=True)
fails(ClientAuthenticationError, ContainerClient(endpoint, 'other', credential=sas).get_blob_client('a').upload_blob, state(1))
past = generate_container_sas(account, 'acme', secret, permission=ContainerSasPermissions(read=True), expiry=datetime.now(timezone.utc) - timedelta(hours=1))
fails(ClientAuthenticationError, ContainerClient(endpoint, 'acme', credential=past).get_blob_client('py/app').download_blob)

blob.delete_blob(delete_snapshots='include')
assert not blob.exists() and not container.get_blob_client('py/none').exists()
fails(ResourceNotFoundError, blob.download_blob)
fails(ClientAuthenticationError, BlobServiceClient(endpoint, credential='AAAA' + secret[4:]).get_service_properties)
assert 'cannot have this name' in str(fails(HttpResponseError, container.get_blob_client('a//b').upload_blob, state(1)))
assert 'not supported' in str(fails(HttpResponseError, by_hand.set_standard_blob_tier, 'Cool'))
print('all is well')
`;

it.skipIf(python === null)(
  'Python with azure-storage-blob at the azurerm door (skipped unless a python3 on PATH has it)',
  { timeout: 120_000 },
  async () => {
    await using house = await TestHouse.open();
    const folder = await mkdtemp(join(tmpdir(), 'statehouse-python-'));
    await writeFile(join(folder, 'script.py'), SCRIPT);
    const { id, secret } = TEST_ADMIN;
    const env = { ...process.env, AT: house.url, ID: id, SECRET: secret };
    const { code, output } = await new RunningProgram(python!, ['script.py'], { cwd: folder, env }).end;
    expect(output).toContain('all is well');
    expect(code).toBe(0);
    await rm(folder, { recursive: true, force: true });
  },
);
