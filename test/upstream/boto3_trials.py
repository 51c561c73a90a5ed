"""What programs with boto3 do with a bucket of states, a table of locks and STS, against the server that AWS_ENDPOINT_URL names.

Prints a line for each trial, `pass NAME` or `fail NAME: why`. Each has a bucket and a table of its own.
"""

import io
import json
import re
import socket
import sys
import tempfile
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

S3 = boto3.client("s3")
DB = boto3.client("dynamodb")
STS = boto3.client("sts")
PARTS = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
KEY = "net/terraform.tfstate"
TRIALS = []


def trial(run):
    TRIALS.append(run)
    return run


def state(serial, size=0):
    text = json.dumps({"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": []})
    return text.encode().ljust(size)


def put(bucket, serial=1, key=KEY, **more):
    return S3.put_object(Bucket=bucket, Key=key, Body=state(serial), **more)


def body(bucket, key=KEY, **more):
    return S3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def refused(code, ask, *given, **more):
    try:
        ask(*given, **more)
    except ClientError as fault:
        assert fault.response["Error"]["Code"] == code, fault
        return fault.response
    raise AssertionError(f"not refused with {code}")


def lock_info(lock):
    info = {"ID": lock, "Operation": "OperationTypeApply", "Info": "", "Who": "me", "Version": "1.15.0"}
    return json.dumps({**info, "Created": "2026-01-01T00:00:00Z", "Path": "x"})


@trial
def buckets_are_made_listed_waited_for_and_removed(bucket):
    S3.create_bucket(Bucket=bucket)
    S3.get_waiter("bucket_exists").wait(Bucket=bucket)
    pages = S3.get_paginator("list_buckets").paginate(Prefix=bucket, PaginationConfig={"PageSize": 1})
    assert [one["Name"] for page in pages for one in page["Buckets"]] == [bucket]
    assert S3.head_bucket(Bucket=bucket)["BucketRegion"] == S3.meta.region_name
    S3.get_bucket_location(Bucket=bucket)
    S3.delete_bucket(Bucket=bucket)
    S3.get_waiter("bucket_not_exists").wait(Bucket=bucket)


@trial
def a_state_is_put_read_and_deleted(bucket):
    etag = put(bucket)["ETag"]
    S3.get_waiter("object_exists").wait(Bucket=bucket, Key=KEY)
    assert body(bucket) == state(1)
    head = S3.head_object(Bucket=bucket, Key=KEY)
    assert (head["ETag"], head["ContentLength"]) == (etag, len(state(1)))
    assert body(bucket, Range="bytes=0-9") == state(1)[:10]
    refused("304", S3.get_object, Bucket=bucket, Key=KEY, IfNoneMatch=etag)
    assert S3.delete_object(Bucket=bucket, Key=KEY)["DeleteMarker"]
    S3.get_waiter("object_not_exists").wait(Bucket=bucket, Key=KEY)
    refused("NoSuchKey", S3.get_object, Bucket=bucket, Key=KEY)


@trial
def every_checksum_is_checked_and_confirmed(bucket):
    for serial, name in enumerate(("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"), 1):
        assert f"Checksum{name}" in put(bucket, serial, ChecksumAlgorithm=name)
        assert body(bucket, ChecksumMode="ENABLED") == state(serial)
    refused("BadDigest", put, bucket, 9, ChecksumSHA256="A" * 43 + "=")


@trial
def writes_have_conditions(bucket):
    first = put(bucket, 1, IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", put, bucket, 2, IfNoneMatch="*")
    put(bucket, 2, IfMatch=first)
    refused("PreconditionFailed", put, bucket, 3, IfMatch=first)
    refused("PreconditionFailed", S3.delete_object, Bucket=bucket, Key=KEY, IfMatch=first)
    S3.delete_object(Bucket=bucket, Key=KEY, IfMatch=S3.head_object(Bucket=bucket, Key=KEY)["ETag"])


@trial
def a_large_state_is_uploaded_and_downloaded_in_parts(bucket):
    for serial, name in enumerate((None, "CRC32", "CRC32C", "CRC64NVME", "SHA256"), 1):
        whole, more = state(serial, 12 << 20), {} if name is None else {"ChecksumAlgorithm": name}
        S3.upload_fileobj(io.BytesIO(whole), bucket, KEY, ExtraArgs=more, Config=PARTS)
        came = io.BytesIO()
        S3.download_fileobj(bucket, KEY, came, Config=PARTS)
        assert came.getvalue() == whole, name


@trial
def a_file_is_uploaded_and_downloaded(bucket):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a").write_bytes(state(1))
        S3.upload_file(f"{folder}/a", bucket, KEY)
        S3.download_file(bucket, KEY, f"{folder}/b")
        assert Path(folder, "b").read_bytes() == state(1)


@trial
def a_large_state_is_copied_in_parts_to_another_bucket(bucket):
    whole = state(1, 12 << 20)
    S3.put_object(Bucket=bucket, Key=KEY, Body=whole)
    S3.copy({"Bucket": bucket, "Key": KEY}, f"{bucket}-copy", "copy", Config=PARTS)
    assert body(f"{bucket}-copy", "copy") == whole


@trial
def parts_are_listed_and_an_upload_is_aborted(bucket):
    begun = S3.create_multipart_upload(Bucket=bucket, Key=KEY)
    named = {"Bucket": bucket, "Key": KEY, "UploadId": begun["UploadId"]}
    S3.upload_part(**named, PartNumber=1, Body=state(1))
    assert [part["PartNumber"] for part in S3.list_parts(**named)["Parts"]] == [1]
    uploads = S3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [one["UploadId"] for one in uploads] == [begun["UploadId"]]
    S3.abort_multipart_upload(**named)
    refused("NoSuchUpload", S3.list_parts, **named)


@trial
def names_are_listed_by_pages_and_folders(bucket):
    for name in ("a/1", "a/2", "b/1", "c d/ü+1", "z"):
        put(bucket, key=name)
    pages = S3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [one["Key"] for page in pages for one in page["Contents"]] == ["a/1", "a/2", "b/1", "c d/ü+1", "z"]
    folders = S3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [one["Prefix"] for one in folders["CommonPrefixes"]] == ["a/", "b/", "c d/"]
    assert [one["Key"] for one in S3.list_objects(Bucket=bucket, Prefix="a/")["Contents"]] == ["a/1", "a/2"]
    assert body(bucket, "c d/ü+1") == state(1)


@trial
def versions_are_listed_read_restored_and_deleted(bucket):
    for serial in (1, 2, 3):
        put(bucket, serial)
    pages = S3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    versions = [one["VersionId"] for page in pages for one in page["Versions"]]
    assert versions == ["3", "2", "1"] and body(bucket, VersionId="1") == state(1)
    S3.copy_object(Bucket=bucket, Key=KEY, CopySource={"Bucket": bucket, "Key": KEY, "VersionId": "1"})
    assert json.loads(body(bucket))["serial"] == 4
    S3.delete_object(Bucket=bucket, Key=KEY, VersionId="2")
    refused("NoSuchVersion", S3.get_object, Bucket=bucket, Key=KEY, VersionId="2")


@trial
def a_bucket_is_emptied_as_a_resource_and_removed(bucket):
    resource = boto3.resource("s3").Bucket(bucket)
    resource.create()
    for serial in (1, 2):
        resource.put_object(Key=KEY, Body=state(serial))
    assert [one.key for one in resource.objects.filter(Prefix="net/")] == [KEY]
    assert resource.Object(KEY).get()["Body"].read() == state(2)
    resource.objects.all().delete()
    resource.object_versions.all().delete()
    resource.delete()


@trial
def links_are_presigned_to_read_and_to_write(bucket):
    # Left to itself, boto3 presigns with Signature Version 2, which is refused.
    signer, where = boto3.client("s3", config=Config(signature_version="s3v4")), {"Bucket": bucket, "Key": KEY}
    link = signer.generate_presigned_url("put_object", Params=where)
    urllib.request.urlopen(urllib.request.Request(link, data=state(1), method="PUT"))
    shown = {**where, "ResponseContentDisposition": 'attachment; filename="a"'}
    with urllib.request.urlopen(signer.generate_presigned_url("get_object", Params=shown)) as answer:
        assert answer.read() == state(1) and answer.headers["content-disposition"].startswith("attachment")


@trial
def attributes_and_settings_are_told(bucket):
    S3.create_bucket(Bucket=bucket)
    put(bucket)
    told = S3.get_object_attributes(Bucket=bucket, Key=KEY, ObjectAttributes=["ETag", "ObjectSize", "Checksum"])
    assert told["ObjectSize"] == len(state(1))
    assert S3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    S3.get_bucket_encryption(Bucket=bucket)
    S3.get_bucket_acl(Bucket=bucket)
    S3.get_bucket_logging(Bucket=bucket)
    assert not S3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    refused("NoSuchTagSet", S3.get_bucket_tagging, Bucket=bucket)
    S3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "net"}]})
    assert S3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "net"}]
    refused("NoSuchCORSConfiguration", S3.get_bucket_cors, Bucket=bucket)


@trial
def an_object_lock_keeps_versions(bucket):
    S3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    default = {"Mode": "GOVERNANCE", "Days": 1}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}
    S3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    assert S3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == lock
    version = put(bucket)["VersionId"]
    named = {"Bucket": bucket, "Key": KEY, "VersionId": version}
    until = (datetime.now(timezone.utc) + timedelta(days=2)).replace(microsecond=0)
    S3.put_object_retention(**named, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    assert S3.get_object_retention(**named)["Retention"]["RetainUntilDate"] == until
    refused("AccessDenied", S3.delete_object, **named)
    S3.delete_object(**named, BypassGovernanceRetention=True)


@trial
def a_lock_file_is_the_lock_of_the_state(bucket):
    name = {"Bucket": bucket, "Key": f"{KEY}.tflock"}
    S3.put_object(**name, Body=lock_info("one"), IfNoneMatch="*")
    refused("PreconditionFailed", S3.put_object, **name, Body=lock_info("two"), IfNoneMatch="*")
    assert json.loads(body(bucket, name["Key"]))["ID"] == "one"
    item = {"LockID": {"S": f"{bucket}/{KEY}"}}
    assert json.loads(DB.get_item(TableName="locks", Key=item)["Item"]["Info"]["S"])["ID"] == "one"
    S3.delete_object(**name)
    refused("NoSuchKey", S3.get_object, **name)


@trial
def a_bucket_can_stand_before_the_name_of_the_host(bucket):
    port, resolve = S3.meta.endpoint_url.rsplit(":", 1)[1], socket.getaddrinfo
    # Not every system knows that all names below localhost are this machine.
    socket.getaddrinfo = lambda host, *more, **named: resolve("127.0.0.1", *more, **named)
    virtual = Config(s3={"addressing_style": "virtual"})
    client = boto3.client("s3", endpoint_url=f"http://localhost:{port}", config=virtual)
    try:
        client.put_object(Bucket=bucket, Key=KEY, Body=state(1))
        assert client.get_object(Bucket=bucket, Key=KEY)["Body"].read() == state(1)
    finally:
        socket.getaddrinfo = resolve


@trial
def errors_are_told_as_boto3_knows_them(bucket):
    refused("404", S3.head_object, Bucket=bucket, Key="absent")
    refused("404", S3.head_bucket, Bucket=bucket)
    refused("InvalidArgument", S3.put_object, Bucket=bucket, Key=KEY, Body=b"no state")
    put(bucket, 2)
    refused("PreconditionFailed", put, bucket, 1)
    stranger = boto3.client("s3", aws_access_key_id="SHNOBODY", aws_secret_access_key="x" * 40)
    refused("InvalidAccessKeyId", stranger.list_buckets)
    wrong = boto3.client("s3", aws_secret_access_key="x" * 40, aws_access_key_id=boto3.Session().get_credentials().access_key)
    refused("SignatureDoesNotMatch", wrong.list_buckets)


@trial
def a_table_is_made_described_tagged_and_removed(table):
    keys = {
        "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
    }
    DB.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "a", "Value": "b"}], **keys)
    DB.get_waiter("table_exists").wait(TableName=table)
    refused("ResourceInUseException", DB.create_table, TableName=table, BillingMode="PAY_PER_REQUEST", **keys)
    arn = DB.describe_table(TableName=table)["Table"]["TableArn"]
    assert DB.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    names = [name for page in DB.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    assert table in names
    DB.delete_table(TableName=table)
    DB.get_waiter("table_not_exists").wait(TableName=table)


@trial
def an_item_is_a_lock_taken_once(table):
    where = {"LockID": {"S": f"{table}/net"}}
    take = {"TableName": "locks", "ConditionExpression": "attribute_not_exists(LockID)"}
    DB.put_item(Item={**where, "Info": {"S": lock_info("one")}}, **take)
    other = {**where, "Info": {"S": lock_info("two")}}
    more = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    answer = refused("ConditionalCheckFailedException", DB.put_item, Item=other, **take, **more)
    assert json.loads(answer["Item"]["Info"]["S"])["ID"] == "one"
    held = DB.get_item(TableName="locks", Key=where, ConsistentRead=True)["Item"]
    assert json.loads(held["Info"]["S"])["ID"] == "one"
    DB.delete_item(TableName="locks", Key=where)
    assert "Item" not in DB.get_item(TableName="locks", Key=where)


@trial
def items_are_asked_for_as_a_resource(table):
    rows, name = boto3.resource("dynamodb").Table("locks"), f"{table}/net"
    rows.put_item(Item={"LockID": name, "Info": lock_info("one")}, ConditionExpression=Attr("LockID").not_exists())
    put(table, key="net")
    assert [one["LockID"] for one in rows.query(KeyConditionExpression=Key("LockID").eq(name))["Items"]] == [name]
    found = rows.scan(FilterExpression=Attr("LockID").begins_with(table))["Items"]
    assert sorted(one["LockID"] for one in found) == [name, f"{name}-md5"]
    only = rows.get_item(Key={"LockID": f"{name}-md5"}, ProjectionExpression="Digest")["Item"]
    assert re.fullmatch("[0-9a-f]{32}", only["Digest"])
    rows.delete_item(Key={"LockID": name}, ConditionExpression=Attr("Info").exists())


@trial
def wrong_items_and_expressions_are_refused(table):
    where = {"LockID": {"S": f"{table}/net"}}
    refused("ValidationException", DB.put_item, TableName="locks", Item={"other": {"S": "a"}})
    asked = {"TableName": "locks", "Key": where}
    refused("ValidationException", DB.delete_item, **asked, ConditionExpression="((a = b))")
    refused("ResourceNotFoundException", DB.describe_table, TableName=f"{table}-absent")


@trial
def a_session_of_a_role_does_what_its_credential_may(bucket):
    me = STS.get_caller_identity()
    assert re.fullmatch(r"\d{12}", me["Account"])
    role = f"arn:aws:iam::{me['Account']}:role/any"
    given = STS.assume_role(RoleArn=role, RoleSessionName="trial")["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    session = boto3.Session(**keys, aws_session_token=given["SessionToken"])
    session.client("s3").put_object(Bucket=bucket, Key=KEY, Body=state(1))
    assert session.client("sts").get_caller_identity()["Account"] == me["Account"]
    broken = boto3.client("s3", **keys, aws_session_token=given["SessionToken"][:-4] + "AAAA")
    refused("InvalidToken", broken.list_buckets)


def main():
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for number, run in enumerate(TRIALS):
        name = run.__name__.replace("_", " ")
        if only not in name:
            continue
        try:
            run(f"boto3-{number}")
            print(f"pass {name}", flush=True)
        except Exception as fault:  # noqa: BLE001
            print(f"fail {name}: {type(fault).__name__} {fault}".replace("\n", " "), flush=True)


main()
