"""What programs with google-cloud-storage do with a bucket of states."""

import base64
import hashlib
import json
import os

from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError, NotFound, PreconditionFailed
from google.auth.exceptions import RefreshError
from google.cloud import storage
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials
from trials import ID, SECRET, SERVER, fails, lock_info, play, state, trial

LOCK = "5e7b9b1c-2d4f-4f0e-9a54-0f9a7f3f0c13"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


def client(credentials):
    return storage.Client(project="p", credentials=credentials, client_options={"api_endpoint": SERVER})


CLIENT = client(Credentials(f"{ID}.{SECRET}"))


def blob_in(bucket, name="net/default.tfstate", **more):
    return CLIENT.bucket(bucket).blob(name, **more)


@trial
def a_bucket_is_made_told_and_listed(bucket):
    CLIENT.create_bucket(bucket)
    fails(Conflict, CLIENT.create_bucket, bucket)
    assert CLIENT.get_bucket(bucket).versioning_enabled
    assert bucket in [one.name for one in CLIENT.list_buckets()]


@trial
def a_state_is_written_on_the_condition_of_its_generation(bucket):
    blob = blob_in(bucket)
    blob.upload_from_string(state(1), if_generation_match=0)
    fails(PreconditionFailed, blob.upload_from_string, state(2), if_generation_match=0)
    assert blob.generation == 1
    blob.upload_from_string(state(2), if_generation_match=1)
    fails(PreconditionFailed, blob.upload_from_string, state(3), if_generation_not_match=2)
    fails(PreconditionFailed, blob.upload_from_string, state(3), if_metageneration_match=blob.metageneration + 1)
    fails(PreconditionFailed, blob.upload_from_string, state(3), if_metageneration_not_match=blob.metageneration)
    blob.upload_from_string(state(3), if_generation_not_match=1, if_metageneration_match=blob.metageneration)
    assert blob.download_as_bytes() == state(3)


@trial
def a_state_is_read_whole_in_part_and_against_its_digest(bucket):
    blob = blob_in(bucket)
    blob.upload_from_string(state(1))
    assert blob.download_as_bytes(checksum="md5") == state(1)
    assert blob.download_as_bytes(start=2, end=5) == state(1)[2:6]
    assert blob.download_as_bytes(raw_download=True) == state(1)
    blob.reload()
    assert (blob.generation, blob.size) == (1, len(state(1)))
    assert base64.b64decode(blob.md5_hash) == hashlib.md5(state(1)).digest()
    with blob.open("rb") as file:
        assert json.load(file)["serial"] == 1


@trial
def an_upload_that_differs_from_its_digest_is_refused(bucket):
    blob = blob_in(bucket)
    blob.md5_hash = base64.b64encode(bytes(16)).decode()
    fails(BadRequest, blob.upload_from_string, state(1))
    assert not blob_in(bucket).exists()


@trial
def old_versions_are_listed_read_and_brought_back(bucket):
    blob = blob_in(bucket)
    for serial in (1, 2):
        blob.upload_from_string(state(serial))
    assert blob_in(bucket, generation=1).download_as_bytes() == state(1)
    versions = list(CLIENT.list_blobs(bucket, prefix=blob.name, versions=True))
    assert [(one.generation, one.time_deleted is None) for one in versions] == [(2, True), (1, False)]
    blob.delete()
    assert not blob_in(bucket).exists()
    fails(NotFound, blob_in(bucket).download_as_bytes)
    here = CLIENT.bucket(bucket)
    here.copy_blob(blob, here, blob.name, source_generation=1)
    assert json.loads(blob_in(bucket).download_as_bytes())["lineage"] == "l"


@trial
def a_stale_state_is_refused(bucket):
    blob = blob_in(bucket)
    blob.upload_from_string(state(2))
    fails(PreconditionFailed, blob.upload_from_string, state(1))


@trial
def a_lock_is_taken_once_and_released_by_its_generation(bucket):
    lock = blob_in(bucket, "net/default.tflock")
    lock.upload_from_string(lock_info(LOCK), if_generation_match=0)
    assert json.loads(lock.download_as_bytes())["Who"] == "py@host"
    assert [one.name for one in CLIENT.list_blobs(bucket)] == ["net/default.tflock"]
    fails(PreconditionFailed, lock.delete, if_generation_match=lock.generation + 1)
    lock.delete(if_generation_match=lock.generation)
    assert not lock.exists()
    lock.upload_from_string(lock_info(LOCK.replace("5", "7")), if_generation_match=0)
    fails(PreconditionFailed, lock.upload_from_string, lock_info(LOCK.replace("5", "6")), if_generation_match=0)


@trial
def a_large_state_is_uploaded_in_pieces(bucket):
    big = blob_in(bucket, chunk_size=5 << 20)
    body = state(1, "x" * 20_000_000)
    big.upload_from_string(body)
    assert big.download_as_bytes() == body
    with blob_in(bucket, "net/other.tfstate").open("wb", chunk_size=1 << 20) as file:
        file.write(body)
    assert blob_in(bucket, "net/other.tfstate").download_as_bytes() == body


@trial
def states_are_listed_by_pages_and_folders(bucket):
    names = [f"{key}/default.tfstate" for key in ("a", "b", "c")]
    for name in names:
        blob_in(bucket, name).upload_from_string(state(1))
    assert [one.name for one in CLIENT.list_blobs(bucket, page_size=2)] == names
    assert [one.name for one in CLIENT.list_blobs(bucket, max_results=2)] == names[:2]
    listing = CLIENT.list_blobs(bucket, delimiter="/")
    assert (list(listing), sorted(listing.prefixes)) == ([], ["a/", "b/", "c/"])
    assert [one.name for one in CLIENT.list_blobs(bucket, start_offset="b", end_offset="c")] == names[1:2]


@trial
def a_state_is_copied_and_rewritten(bucket):
    here, blob = CLIENT.bucket(bucket), blob_in(bucket)
    blob.upload_from_string(state(2))
    assert here.copy_blob(blob, here, "copy/default.tfstate").download_as_bytes() == state(2)
    token, done, total = blob_in(bucket, "rewritten/default.tfstate").rewrite(blob)
    assert (token, done, total) == (None, len(state(2)), len(state(2)))


@trial
def a_customers_own_key_is_refused_and_never_ignored(bucket):
    error = fails(BadRequest, blob_in(bucket, encryption_key=bytes(32)).upload_from_string, state(1))
    assert "encrypt" in str(error)
    assert not blob_in(bucket).exists()


@trial
def what_is_not_done_says_so(bucket):
    blob = blob_in(bucket)
    blob.upload_from_string(state(1))
    assert "cannot have this name" in str(fails(BadRequest, blob_in(bucket, "x.txt").upload_from_string, "x"))
    blob.metadata = {"a": "b"}
    assert "not supported" in str(fails(GoogleAPICallError, blob.patch, retry=None))
    blob.metadata = {}
    blob.patch()
    assert "not supported" in str(fails(GoogleAPICallError, blob_in(bucket, "d/default.tfstate").compose, [blob], retry=None))


@trial
def a_wrong_token_is_refused(bucket):
    # The library takes a 401 for a token that has ended, and has no other.
    fails(RefreshError, client(Credentials("nobody.nothing")).get_bucket, bucket)


@trial
def a_key_file_is_exchanged_for_access_tokens(bucket):
    key = service_account.Credentials.from_service_account_file(os.environ["KEY_FILE"], scopes=[SCOPE])
    blob_in(bucket).upload_from_string(state(1))
    assert client(key).bucket(bucket).blob("net/default.tfstate").download_as_bytes() == state(1)


play()
