"""What programs with azure-storage-blob and azure-identity do with a container of states."""

import base64
import json
from datetime import datetime, timedelta, timezone

from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential
from azure.storage.blob import (
    AccountSasPermissions,
    BlobBlock,
    BlobClient,
    BlobLeaseClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from trials import ID, SECRET, SERVER, fails, lock_info, play, state, trial

ACCOUNT = ID.lower()
ENDPOINT = f"{SERVER}/azure/{ACCOUNT}"
SERVICE = BlobServiceClient(ENDPOINT, credential=SECRET)
HOUR = timedelta(hours=1)


def now():
    return datetime.now(timezone.utc)


def blob_in(container, name="net", **more):
    return BlobClient(ENDPOINT, container, name, credential=SECRET, **more)


def told(blob):
    return json.loads(base64.b64decode(blob.get_blob_properties().metadata["terraformlockid"]))


@trial
def a_container_is_made_told_and_listed(name):
    container = SERVICE.create_container(name)
    fails(ResourceExistsError, SERVICE.create_container, name)
    assert name in [one.name for one in SERVICE.list_containers()]
    assert container.get_container_properties().name == name
    assert SERVICE.get_account_information()["account_kind"] == "StorageV2"
    SERVICE.get_service_properties()


@trial
def a_state_is_written_on_conditions(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    fails(ResourceExistsError, blob.upload_blob, state(2))
    first = blob.get_blob_properties()
    assert (first.size, first.lease.status, first.metadata) == (len(state(1)), "unlocked", {})
    unchanged = {"overwrite": True, "etag": first.etag, "match_condition": MatchConditions.IfNotModified}
    blob.upload_blob(state(2), validate_content=True, **unchanged)
    fails(ResourceModifiedError, blob.upload_blob, state(3), **unchanged)
    fails(HttpResponseError, blob.upload_blob, state(3), overwrite=True, if_unmodified_since=now() - HOUR)
    assert blob.download_blob(validate_content=True).readall() == state(2)
    assert blob.download_blob(offset=2, length=4).readall() == state(2)[2:6]


@trial
def a_stale_state_is_refused(name):
    blob = blob_in(name)
    blob.upload_blob(state(2))
    fails(ResourceModifiedError, blob.upload_blob, state(1), overwrite=True)


@trial
def a_lease_keeps_others_out_and_tells_its_info(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    lease = BlobLeaseClient(blob)
    lease.acquire(lease_duration=15)
    seen = blob.get_blob_properties()
    assert (seen.lease.status, seen.lease.state, seen.lease.duration) == ("locked", "leased", "fixed")
    assert told(blob)["ID"] == lease.id
    fails(ResourceExistsError, BlobLeaseClient(blob).acquire)
    fails(HttpResponseError, blob.upload_blob, state(2), overwrite=True)
    lease.renew()
    info = base64.b64encode(lock_info(lease.id).encode()).decode()
    blob.set_blob_metadata({"terraformlockid": info}, lease=lease)
    blob.upload_blob(state(2), overwrite=True, lease=lease)
    assert told(blob)["Who"] == "py@host"
    lease.release()
    assert blob.get_blob_properties().lease.state == "available"


@trial
def a_lease_without_an_end_is_broken(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    lease = BlobLeaseClient(blob)
    lease.acquire()
    assert blob.get_blob_properties().lease.duration == "infinite"
    assert lease.break_lease() == 0
    fails(HttpResponseError, blob.upload_blob, state(2), overwrite=True, lease=lease)


@trial
def a_lease_gets_another_id(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    lease = BlobLeaseClient(blob)
    lease.acquire()
    before = lease.id
    lease.change("0c0c0c0c-1111-4222-8333-444444444444")
    assert lease.id == "0c0c0c0c-1111-4222-8333-444444444444"
    fails(HttpResponseError, blob.upload_blob, state(2), overwrite=True, lease=before)
    blob.upload_blob(state(2), overwrite=True, lease=lease)
    lease.release()


@trial
def snapshots_and_versions_are_listed_and_read(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    old = blob.create_snapshot()["snapshot"]
    blob.upload_blob(state(2), overwrite=True)
    assert blob_in(name, snapshot=old).download_blob().readall() == state(1)
    container = SERVICE.get_container_client(name)
    assert len(list(container.list_blobs(name_starts_with="net", include=["snapshots"]))) == 2
    versions = list(container.list_blobs(name_starts_with="net", include=["versions"]))
    assert [one.is_current_version for one in versions][0]
    assert blob_in(name, version_id=versions[-1].version_id).download_blob().readall() == state(1)


@trial
def a_large_state_is_uploaded_in_blocks(name):
    pieces = blob_in(name, max_single_put_size=1024, max_block_size=300_000)
    body = state(1, "x" * 3_000_000)
    pieces.upload_blob(body, max_concurrency=4)
    assert pieces.download_blob(max_concurrency=4).readall() == body


@trial
def blocks_are_put_together_by_hand(name):
    blob = blob_in(name)
    for block, half in (("one", state(1)[:20]), ("two", state(1)[20:])):
        blob.stage_block(block, half, validate_content=True)
    assert len(blob.get_block_list("uncommitted")[1]) == 2
    blob.commit_block_list([BlobBlock("one"), BlobBlock("two")])
    assert blob.download_blob().readall() == state(1)


@trial
def states_are_listed_by_pages_and_folders(name):
    for key in ("a/x", "a/y", "b"):
        blob_in(name, key).upload_blob(state(1))
    container = SERVICE.get_container_client(name)
    assert [len(list(page)) for page in container.list_blobs(results_per_page=2).by_page()] == [2, 1]
    assert [one.name for one in container.walk_blobs()] == ["a/", "b"]


@trial
def a_state_is_deleted_with_its_snapshots(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    blob.create_snapshot()
    blob.delete_blob(delete_snapshots="include")
    assert not blob.exists()
    fails(ResourceNotFoundError, blob.download_blob)


@trial
def a_signature_of_the_account_permits_what_it_says(name):
    blob_in(name).upload_blob(state(1))
    types, may = ResourceTypes(service=True, container=True, object=True), AccountSasPermissions(read=True, list=True)
    reader = BlobServiceClient(ENDPOINT, credential=generate_account_sas(ACCOUNT, SECRET, types, may, now() + HOUR))
    assert reader.get_blob_client(name, "net").download_blob().readall() == state(1)
    fails(HttpResponseError, reader.get_blob_client(name, "net").upload_blob, state(2), overwrite=True)


@trial
def a_signature_of_the_service_is_good_in_its_container_or_blob(name):
    may = ContainerSasPermissions(read=True, write=True, list=True)
    sas = generate_container_sas(ACCOUNT, name, SECRET, permission=may, expiry=now() + HOUR)
    ContainerClient(ENDPOINT, name, credential=sas).get_blob_client("net").upload_blob(state(1), overwrite=True)
    other = ContainerClient(ENDPOINT, "other", credential=sas).get_blob_client("a")
    fails(ClientAuthenticationError, other.upload_blob, state(1))
    one = generate_blob_sas(ACCOUNT, name, "net", account_key=SECRET, permission=BlobSasPermissions(read=True), expiry=now() + HOUR)
    assert BlobClient(ENDPOINT, name, "net", credential=one).download_blob().readall() == state(1)
    fails(ClientAuthenticationError, BlobClient(ENDPOINT, name, "other", credential=one).download_blob)


@trial
def a_signature_that_has_ended_or_is_wrong_is_refused(name):
    blob_in(name).upload_blob(state(1))
    past = generate_container_sas(ACCOUNT, name, SECRET, permission=ContainerSasPermissions(read=True), expiry=now() - HOUR)
    fails(ClientAuthenticationError, ContainerClient(ENDPOINT, name, credential=past).get_blob_client("net").download_blob)
    fails(ClientAuthenticationError, BlobServiceClient(ENDPOINT, credential="AAAA" + SECRET[4:]).get_service_properties)


@trial
def a_token_of_the_token_endpoint_opens_the_door(name):
    # azure-identity and azure-storage-blob send tokens over https alone.
    wanted = {"authority": SERVER, "disable_instance_discovery": True}
    token = ClientSecretCredential("adfs", ID, SECRET, **wanted)
    service = BlobServiceClient(ENDPOINT, credential=token)
    service.get_blob_client(name, "net").upload_blob(state(1))
    assert blob_in(name).download_blob().readall() == state(1)
    wrong = ClientSecretCredential("adfs", ID, SECRET[:-4] + "AAAA", **wanted)
    fails(ClientAuthenticationError, BlobServiceClient(ENDPOINT, credential=wrong).get_blob_client(name, "net").download_blob)


@trial
def what_is_not_done_says_so(name):
    blob = blob_in(name)
    blob.upload_blob(state(1))
    assert "cannot have this name" in str(fails(HttpResponseError, blob_in(name, "a//b").upload_blob, state(1)))
    assert "not supported" in str(fails(HttpResponseError, blob.set_standard_blob_tier, "Cool"))
    assert "not supported" in str(fails(HttpResponseError, blob.set_blob_tags, {"a": "b"}))


play()
