import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOnPath } from '../support/find-program.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { RunningProgram } from '../support/running-program.ts';
import { awsLogin } from './fixtures/s3-folder.ts';

/** A Python that has boto3; null where there is none. */
async function findBoto3(): Promise<string | null> {
  const python = await findOnPath('python3');
  if (python === null) return null;
  const { code } = await new RunningProgram(python, ['-c', 'import boto3'], { cwd: '/', env: process.env })
    .end;
  return code === 0 ? python : null;
}

const python = await findBoto3();

const SCRIPT = `
import base64, json, ssl, threading, urllib.request, os, zlib
import boto3
from boto3.s3.transfer import TransferConfig
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import ClientError

def state(serial, filler=''):
    return json.dumps({'version': 4, 'terraform_version': '1.11.4', 'serial': serial, 'lineage': 'l',
                       'outputs': {}, 'resources': [], 'filler': filler}).encode()

def code(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response['Error']['Code']

s3 = boto3.client('s3', region_name='us-east-1')
db = boto3.resource('dynamodb', region_name='us-east-1')
s3.create_bucket(Bucket='boto')
s3.put_object(Bucket='boto', Key='a.tfstate', Body=state(1))
assert s3.get_object(Bucket='boto', Key='a.tfstate')['Body'].read() == state(1)
assert code(s3.put_object, Bucket='boto', Key='a.tfstate', Body=b'no state') == 'InvalidArgument'
assert code(s3.get_object, Bucket='boto', Key='absent') == 'NoSuchKey'
for algorithm in ['CRC32', 'SHA1', 'SHA256']:
    s3.put_object(Bucket='boto', Key='c/' + algorithm, Body=state(1), ChecksumAlgorithm=algorithm)

big = state(1, 'x' * 11_000_000)
open('big', 'wb').write(big)
config = TransferConfig(multipart_threshold=5 * 1024 * 1024, multipart_chunksize=5 * 1024 * 1024)
s3.upload_file('big', 'boto', 'big.tfstate', Config=config)
s3.download_file('boto', 'big.tfstate', 'down', Config=config)
assert open('down', 'rb').read() == big

some = state(1, 'y' * 6_000_000)
open('some', 'wb').write(some)
# In parts from bucket to bucket, and sent in parts with checksums of every kind.
s3.copy({'Bucket': 'boto', 'Key': 'big.tfstate'}, 'boto2', 'copy.tfstate', Config=config)
assert s3.get_object(Bucket='boto2', Key='copy.tfstate')['Body'].read() == big
for algorithm in ['CRC32', 'SHA1', 'SHA256']:
    extra = {'ChecksumAlgorithm': algorithm}
    s3.upload_file('some', 'boto2', 'sums/' + algorithm, ExtraArgs=extra, Config=config)
    s3.copy({'Bucket': 'boto2', 'Key': 'sums/CRC32'}, 'boto2', 'copied/' + algorithm, ExtraArgs=extra, Config=config)
    assert s3.get_object(Bucket='boto2', Key='copied/' + algorithm)['Body'].read() == some
whole = base64.b64encode(zlib.crc32(some).to_bytes(4, 'big')).decode()
s3.upload_file('some', 'boto2', 'sums/whole', ExtraArgs={'ChecksumCRC32': whole}, Config=config)
try:
    s3.upload_file('some', 'boto2', 'sums/wrong', ExtraArgs={'ChecksumCRC32': 'AAAAAA=='}, Config=config)
    raise AssertionError('a wrong checksum was taken')
except S3UploadFailedError as error:
    assert 'BadDigest' in str(error), error
assert s3.get_object(Bucket='boto2', Key='sums/whole', PartNumber=1)['ContentLength'] == len(some)
assert code(s3.delete_object, Bucket='boto2', Key='sums/whole', IfMatch='"x"') == 'PreconditionFailed'
marks = s3.delete_objects(Bucket='boto2', Delete={'Objects': [{'Key': 'sums/whole'}]})['Deleted']
assert marks == [{'Key': 'sums/whole', 'DeleteMarker': True, 'DeleteMarkerVersionId': 'd1'}], marks

s3.put_object(Bucket='boto', Key='a.tfstate', Body=state(2))
versions = s3.list_object_versions(Bucket='boto', Prefix='a.')['Versions']
assert [(one['VersionId'], one['IsLatest']) for one in versions] == [('2', True), ('1', False)], versions
pages = s3.get_paginator('list_objects_v2').paginate(Bucket='boto', PaginationConfig={'PageSize': 2})
names = [one['Key'] for page in pages for one in page.get('Contents', [])]
assert names == ['a.tfstate', 'big.tfstate', 'c/CRC32', 'c/SHA1', 'c/SHA256'], names

s3v4 = boto3.client('s3', region_name='us-east-1', config=Config(signature_version='s3v4'))
url = s3v4.generate_presigned_url('get_object', Params={'Bucket': 'boto', 'Key': 'a.tfstate'}, ExpiresIn=60)
context = ssl.create_default_context(cafile=os.environ['AWS_CA_BUNDLE']) if url.startswith('https') else None
assert urllib.request.urlopen(url, context=context).read() == state(2)
upload = s3v4.generate_presigned_url('put_object', Params={'Bucket': 'boto', 'Key': 'p.tfstate'}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(upload, data=state(1), method='PUT'), context=context)
assert s3.head_object(Bucket='boto', Key='p.tfstate')['ContentLength'] == len(state(1))

table = db.create_table(TableName='locks', BillingMode='PAY_PER_REQUEST',
                        KeySchema=[{'AttributeName': 'LockID', 'KeyType': 'HASH'}],
                        AttributeDefinitions=[{'AttributeName': 'LockID', 'AttributeType': 'S'}])
table.wait_until_exists()
got = []
def take(number):
    info = json.dumps({'ID': str(number), 'Operation': 'OperationTypeApply', 'Info': '', 'Who': 'boto', 'Version': '1',
                       'Created': '2026-01-01T00:00:00Z', 'Path': 'boto/a.tfstate'})
    if not code(table.put_item, Item={'LockID': 'boto/a.tfstate', 'Info': info},
                ConditionExpression='attribute_not_exists(LockID)'):
        got.append(info)
threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(got) == 1, got
assert table.get_item(Key={'LockID': 'boto/a.tfstate'})['Item']['Info'] == got[0]
digest = table.get_item(Key={'LockID': 'boto/a.tfstate-md5'})['Item']['Digest']
assert s3.head_object(Bucket='boto', Key='a.tfstate')['ETag'] == '"' + digest + '"'
assert len(table.scan()['Items']) == 14
table.delete_item(Key={'LockID': 'boto/a.tfstate'})
assert 'Item' not in table.get_item(Key={'LockID': 'boto/a.tfstate'})
print('done')
`;

describe.skipIf(python === null)('boto3 (skipped unless python3 has it)', () => {
  let directory = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'statehouse-boto3-'));
    await writeFile(join(directory, 'script.py'), SCRIPT);
  });

  afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

  it.each(['http', 'https'])(
    'reads, writes, locks and sends in parts over %s',
    async (scheme) => {
      const data = join(directory, scheme);
      await using house = await TestHouse.open({
        store: { kind: 'directory', path: data },
        tls: { kind: scheme === 'http' ? 'none' : 'self-signed' },
      });
      const env = {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        ...awsLogin(house.url),
        ...(house.certPath === null ? {} : { AWS_CA_BUNDLE: house.certPath }),
      };
      const { code, output } = await new RunningProgram(python!, ['../script.py'], { cwd: data, env }).end;
      expect(`${code} ${output.trim()}`).toBe('0 done');
    },
    240_000,
  );
});
