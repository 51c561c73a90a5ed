// What programs with @azure/storage-blob and @azure/identity do with a container of states.
import assert from 'node:assert/strict';
import { library, ID, lockInfo, play, refused, SECRET, SERVER, state } from './trials.mjs';

const storage = library('@azure/storage-blob');
const { ClientSecretCredential } = library('@azure/identity');

const account = ID.toLowerCase();
const key = new storage.StorageSharedKeyCredential(account, SECRET);
const AT = `${SERVER}/azure/${account}`;
const NO_RETRY = { retryOptions: { maxTries: 1 } };
const serviceOf = (credential) => new storage.BlobServiceClient(AT, credential, NO_RETRY);
const service = serviceOf(key);
const blobIn = (name, blob = 'net', of = service) => of.getContainerClient(name).getBlockBlobClient(blob);
const put = (blob, body, conditions = {}) => blob.upload(body, body.length, { conditions });
const is = (code) => (fault) => fault.code === code || fault.details?.errorCode === code;
const toldOf = async (blob) =>
  JSON.parse(Buffer.from((await blob.getProperties()).metadata.terraformlockid, 'base64').toString());
const tomorrow = () => new Date(Date.now() + 86_400_000);

await play({
  'a container is made told and listed': async (name) => {
    const container = service.getContainerClient(name);
    await container.create();
    await refused(container.create(), is('ContainerAlreadyExists'));
    assert.equal(await container.exists(), true);
    const names = [];
    for await (const one of service.listContainers()) names.push(one.name);
    assert.ok(names.includes(name));
    assert.equal((await service.getAccountInfo()).accountKind, 'StorageV2');
    await service.getProperties();
  },
  'a state is written on conditions': async (name) => {
    const blob = blobIn(name);
    await put(blob, state(1), { ifNoneMatch: '*' });
    await refused(put(blob, state(2), { ifNoneMatch: '*' }), is('BlobAlreadyExists'));
    const { etag: ifMatch } = await blob.getProperties();
    await put(blob, state(2), { ifMatch });
    await refused(put(blob, state(3), { ifMatch }), is('ConditionNotMet'));
    assert.deepEqual(await blob.downloadToBuffer(), state(2));
    assert.deepEqual(await blob.downloadToBuffer(2, 4), state(2).subarray(2, 6));
  },
  'a stale state is refused': async (name) => {
    await put(blobIn(name), state(2));
    await refused(put(blobIn(name), state(1)), is('ConditionNotMet'));
  },
  'a lease keeps others out and tells its info': async (name) => {
    const blob = blobIn(name);
    await put(blob, state(1));
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(15);
    const conditions = { leaseId: lease.leaseId };
    const { leaseState, leaseDuration } = await blob.getProperties();
    assert.deepEqual([leaseState, leaseDuration], ['leased', 'fixed']);
    await lease.renewLease();
    const terraformlockid = Buffer.from(lockInfo(lease.leaseId)).toString('base64');
    await blob.setMetadata({ terraformlockid }, { conditions });
    assert.equal((await toldOf(blob)).Who, 'node@host');
    await refused(blob.getBlobLeaseClient().acquireLease(-1), is('LeaseAlreadyPresent'));
    await refused(put(blob, state(2)), is('LeaseIdMissing'));
    await put(blob, state(2), conditions);
    await lease.releaseLease();
    assert.equal((await blob.getProperties()).leaseState, 'available');
  },
  'a lease gets another id and is broken': async (name) => {
    const blob = blobIn(name);
    await put(blob, state(1));
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(-1);
    const other = '0c0c0c0c-1111-4222-8333-444444444444';
    await lease.changeLease(other);
    assert.equal((await toldOf(blob)).ID, other);
    assert.equal((await lease.breakLease(0)).leaseTime, 0);
    await refused(put(blob, state(2), { leaseId: other }), is('LeaseNotPresentWithBlobOperation'));
  },
  'snapshots and versions are listed and read': async (name) => {
    const blob = blobIn(name);
    await put(blob, state(1));
    const { snapshot } = await blob.createSnapshot();
    await put(blob, state(2));
    assert.deepEqual(await blob.withSnapshot(snapshot).downloadToBuffer(), state(1));
    const container = service.getContainerClient(name);
    const versions = [];
    for await (const one of container.listBlobsFlat({ prefix: 'net', includeVersions: true }))
      versions.push(one.versionId);
    assert.equal(versions.length, 2);
    assert.deepEqual(await blob.withVersion(versions[1]).downloadToBuffer(), state(1));
  },
  'a large state is uploaded in blocks': async (name) => {
    const body = state(1, 'x'.repeat(3_000_000));
    const how = { blockSize: 300_000, maxSingleShotSize: 1_024, concurrency: 4 };
    await blobIn(name).uploadData(body, how);
    assert.deepEqual(await blobIn(name).downloadToBuffer(0, undefined, { blockSize: 500_000 }), body);
  },
  'states are listed by pages and folders': async (name) => {
    for (const blob of ['a/x', 'a/y', 'b']) await put(blobIn(name, blob), state(1));
    const container = service.getContainerClient(name);
    const pages = [];
    for await (const page of container.listBlobsFlat().byPage({ maxPageSize: 2 }))
      pages.push(page.segment.blobItems.length);
    assert.deepEqual(pages, [2, 1]);
    const seen = [];
    for await (const one of container.listBlobsByHierarchy('/')) seen.push(one.name);
    assert.deepEqual(seen, ['a/', 'b']);
  },
  'a state is deleted with its snapshots': async (name) => {
    await put(blobIn(name), state(1));
    await blobIn(name).delete({ deleteSnapshots: 'include' });
    assert.equal(await blobIn(name).exists(), false);
    await refused(blobIn(name).downloadToBuffer(), ({ statusCode }) => statusCode === 404);
  },
  'signatures permit what they say until they end': async (name) => {
    await put(blobIn(name), state(1));
    const permissions = storage.ContainerSASPermissions.parse('r');
    const made = (expiresOn) =>
      storage.generateBlobSASQueryParameters({ containerName: name, permissions, expiresOn }, key).toString();
    const reader = (sas) => new storage.BlockBlobClient(`${AT}/${name}/net?${sas}`, undefined, NO_RETRY);
    assert.deepEqual(await reader(made(tomorrow())).downloadToBuffer(), state(1));
    await refused(put(reader(made(tomorrow())), state(2)), is('AuthorizationPermissionMismatch'));
    await refused(reader(made(new Date(0))).getProperties(), ({ statusCode }) => statusCode === 403);
    const url = service.generateAccountSasUrl(tomorrow(), storage.AccountSASPermissions.parse('rl'), 'sco');
    const byAccount = new storage.BlobServiceClient(url, undefined, NO_RETRY);
    assert.deepEqual(await blobIn(name, 'net', byAccount).downloadToBuffer(), state(1));
  },
  'a wrong key is refused': (name) =>
    refused(
      blobIn(name, 'net', serviceOf(new storage.StorageSharedKeyCredential(account, 'AAAA'))).getProperties(),
      ({ statusCode }) => statusCode === 403,
    ),
  'a token of the token endpoint opens the door': async (name) => {
    const how = { authorityHost: SERVER, disableInstanceDiscovery: true };
    const token = new ClientSecretCredential('adfs', ID, SECRET, how);
    await put(blobIn(name, 'net', serviceOf(token)), state(1));
    assert.deepEqual(await blobIn(name).downloadToBuffer(), state(1));
  },
  'what is not done says so': async (name) => {
    await put(blobIn(name), state(1));
    const refusal = ({ message }) => /not supported/.test(message);
    await refused(blobIn(name).setAccessTier('Cool'), refusal);
    await refused(blobIn(name).setTags({ a: 'b' }), refusal);
    await refused(blobIn(name).setMetadata({ a: 'b' }), refusal);
    await refused(put(blobIn(name, 'a//b'), state(1)), ({ message }) =>
      /cannot have this name/.test(message),
    );
  },
});
