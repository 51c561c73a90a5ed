// What programs with version 2 of AWS's SDK for Go do with a bucket of states, a table of locks and STS, against the server that
// AWS_ENDPOINT_URL names. Prints a line for each trial, "pass NAME" or "fail NAME: why". Each has a bucket of its own.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	tmtypes "github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const large = 12 << 20

var (
	ctx    = context.Background()
	object = aws.String("net/terraform.tfstate")
	store  *s3.Client
	db     *dynamodb.Client
	roles  *sts.Client
)

var trials = []struct {
	name string
	run  func(bucket *string)
}{
	{"a bucket is made, waited for, told of and removed", bucketTrial},
	{"a state is put, read and deleted", objectTrial},
	{"every checksum is checked and confirmed", checksumTrial},
	{"writes and deletions have conditions", conditionTrial},
	{"a large state goes up and down by the transfer manager, with every checksum", transferTrial},
	{"a large state goes up and down by the former manager", managerTrial},
	{"a part is read by its number", partTrial},
	{"names and versions are listed by pages", listTrial},
	{"many objects are deleted at once", deleteTrial},
	{"links are presigned to read and to write", presignTrial},
	{"an object lock keeps versions", objectLockTrial},
	{"a lock file is the lock of the state", lockFileTrial},
	{"errors are told as the SDK knows them", errorTrial},
	{"the region of a bucket is told without a signature", regionTrial},
	{"a table is made, waited for and removed", tableTrial},
	{"an item is a lock that is taken once", itemTrial},
	{"items are asked for by built expressions", expressionTrial},
	{"a session of a role does what its credential may", sessionTrial},
}

func main() {
	loaded := must(config.LoadDefaultConfig(ctx))
	store = s3.NewFromConfig(loaded, func(o *s3.Options) { o.UsePathStyle = true })
	db, roles = dynamodb.NewFromConfig(loaded), sts.NewFromConfig(loaded)
	only := strings.Join(os.Args[1:], " ")
	for number, one := range trials {
		if strings.Contains(one.name, only) {
			play(one.name, func() { one.run(aws.String(fmt.Sprintf("go2-%d", number))) })
		}
	}
}

func play(name string, run func()) {
	defer func() {
		if fault := recover(); fault != nil {
			fmt.Printf("fail %s: %s\n", name, strings.ReplaceAll(fmt.Sprint(fault), "\n", " "))
			return
		}
		fmt.Printf("pass %s\n", name)
	}()
	run()
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func want(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func refused(err error, code string) {
	var told smithy.APIError
	want(errors.As(err, &told) && told.ErrorCode() == code, fmt.Sprintf("not refused with %s: %v", code, err))
}

func state(serial, size int) []byte {
	text := fmt.Sprintf(`{"version":4,"serial":%d,"lineage":"l","outputs":{},"resources":[]}`, serial)
	return append([]byte(text), bytes.Repeat([]byte(" "), max(0, size-len(text)))...)
}

func lockInfo(id string) string {
	return fmt.Sprintf(`{"ID":"%s","Operation":"OperationTypeApply","Info":"","Who":"me","Version":"1.15.0","Created":"2026-01-01T00:00:00Z","Path":"x"}`, id)
}

func put(bucket *string, serial int, more ...func(*s3.PutObjectInput)) (*s3.PutObjectOutput, error) {
	input := &s3.PutObjectInput{Bucket: bucket, Key: object, Body: bytes.NewReader(state(serial, 0))}
	for _, change := range more {
		change(input)
	}
	return store.PutObject(ctx, input)
}

func get(bucket, key *string) []byte {
	answer := must(store.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}))
	return must(io.ReadAll(answer.Body))
}

func bucketTrial(bucket *string) {
	must(store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	head := &s3.HeadBucketInput{Bucket: bucket}
	must(0, s3.NewBucketExistsWaiter(store).Wait(ctx, head, time.Minute))
	must(store.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: bucket}))
	must(store.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: bucket}))
	pages, found := s3.NewListBucketsPaginator(store, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1)}), false
	for pages.HasMorePages() {
		for _, one := range must(pages.NextPage(ctx)).Buckets {
			found = found || *one.Name == *bucket
		}
	}
	want(found, "the bucket is not listed")
	must(store.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}))
	must(0, s3.NewBucketNotExistsWaiter(store).Wait(ctx, head, time.Minute))
}

func objectTrial(bucket *string) {
	stored := must(put(bucket, 1))
	head := &s3.HeadObjectInput{Bucket: bucket, Key: object}
	must(0, s3.NewObjectExistsWaiter(store).Wait(ctx, head, time.Minute))
	want(bytes.Equal(get(bucket, object), state(1, 0)), "other bytes came")
	want(*must(store.HeadObject(ctx, head)).ETag == *stored.ETag, "another ETag")
	must(store.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: object}))
	must(0, s3.NewObjectNotExistsWaiter(store).Wait(ctx, head, time.Minute))
}

func checksumTrial(bucket *string) {
	for serial, algorithm := range types.ChecksumAlgorithm("").Values() {
		if strings.HasPrefix(string(algorithm), "XX") || algorithm == "MD5" || algorithm == "SHA512" {
			continue
		}
		must(put(bucket, serial+1, func(in *s3.PutObjectInput) { in.ChecksumAlgorithm = algorithm }))
		want(bytes.Equal(get(bucket, object), state(serial+1, 0)), "other bytes came")
	}
	_, err := put(bucket, 99, func(in *s3.PutObjectInput) { in.ChecksumSHA256 = aws.String(strings.Repeat("A", 43) + "=") })
	refused(err, "BadDigest")
}

func conditionTrial(bucket *string) {
	first := must(put(bucket, 1, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })).ETag
	_, err := put(bucket, 2, func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") })
	refused(err, "PreconditionFailed")
	must(put(bucket, 2, func(in *s3.PutObjectInput) { in.IfMatch = first }))
	_, err = put(bucket, 3, func(in *s3.PutObjectInput) { in.IfMatch = first })
	refused(err, "PreconditionFailed")
	_, err = store.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: object, IfMatch: first})
	refused(err, "PreconditionFailed")
}

func transferTrial(bucket *string) {
	transfers := transfermanager.New(store, func(o *transfermanager.Options) { o.PartSizeBytes = 5 << 20 })
	for serial, algorithm := range []tmtypes.ChecksumAlgorithm{"", "CRC32", "CRC32C", "CRC64NVME", "SHA256"} {
		whole, into := state(serial+1, large), manager.NewWriteAtBuffer(nil)
		up := &transfermanager.UploadObjectInput{Bucket: bucket, Key: object, Body: bytes.NewReader(whole)}
		up.ChecksumAlgorithm = algorithm
		must(transfers.UploadObject(ctx, up))
		down := &transfermanager.DownloadObjectInput{Bucket: bucket, Key: object, WriterAt: into}
		must(transfers.DownloadObject(ctx, down))
		want(bytes.Equal(into.Bytes(), whole), "other bytes came")
	}
	stream := must(transfers.GetObject(ctx, &transfermanager.GetObjectInput{Bucket: bucket, Key: object}))
	want(len(must(io.ReadAll(stream.Body))) == large, "another length came")
}

func managerTrial(bucket *string) {
	whole, into := state(1, large), manager.NewWriteAtBuffer(nil)
	in := &s3.PutObjectInput{Bucket: bucket, Key: object, Body: bytes.NewReader(whole)}
	must(manager.NewUploader(store).Upload(ctx, in))
	must(manager.NewDownloader(store).Download(ctx, into, &s3.GetObjectInput{Bucket: bucket, Key: object}))
	want(bytes.Equal(into.Bytes(), whole), "other bytes came")
}

func partTrial(bucket *string) {
	must(put(bucket, 1))
	asked := &s3.GetObjectInput{Bucket: bucket, Key: object, PartNumber: aws.Int32(1)}
	answer := must(store.GetObject(ctx, asked))
	want(bytes.Equal(must(io.ReadAll(answer.Body)), state(1, 0)), "other bytes came")
}

func listTrial(bucket *string) {
	for _, name := range []string{"a/1", "b/1", "c d/ü+1"} {
		must(put(bucket, 1, func(in *s3.PutObjectInput) { in.Key = &name }))
	}
	must(put(bucket, 2, func(in *s3.PutObjectInput) { in.Key = aws.String("a/1") }))
	names := []string{}
	pages := s3.NewListObjectsV2Paginator(store, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, one := range must(pages.NextPage(ctx)).Contents {
			names = append(names, *one.Key)
		}
	}
	want(strings.Join(names, ",") == "a/1,b/1,c d/ü+1", strings.Join(names, ","))
	versions := 0
	history := s3.NewListObjectVersionsPaginator(store, &s3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(3)})
	for history.HasMorePages() {
		versions += len(must(history.NextPage(ctx)).Versions)
	}
	want(versions == 4, fmt.Sprint(versions, " versions"))
}

func deleteTrial(bucket *string) {
	must(put(bucket, 1))
	named := []types.ObjectIdentifier{{Key: object}, {Key: aws.String("absent")}}
	in := &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: named}}
	want(len(must(store.DeleteObjects(ctx, in)).Deleted) == 2, "not both are deleted")
	named = []types.ObjectIdentifier{{Key: object, VersionId: aws.String("1")}, {Key: object, VersionId: aws.String("d1")}}
	in.Delete.Objects = named
	want(len(must(store.DeleteObjects(ctx, in)).Errors) == 0, "the version stays")
}

func presignTrial(bucket *string) {
	signer := s3.NewPresignClient(store)
	write := must(signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: object}))
	request := must(http.NewRequest("PUT", write.URL, bytes.NewReader(state(1, 0))))
	want(must(http.DefaultClient.Do(request)).StatusCode == 200, "the state was not taken")
	read := must(signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: object}))
	answer := must(http.Get(read.URL))
	want(bytes.Equal(must(io.ReadAll(answer.Body)), state(1, 0)), "other bytes came")
}

func objectLockTrial(bucket *string) {
	must(store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true)}))
	until := aws.Time(time.Now().Add(time.Hour))
	version := must(put(bucket, 1, func(in *s3.PutObjectInput) {
		in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockModeGovernance, until
	})).VersionId
	in := &s3.DeleteObjectInput{Bucket: bucket, Key: object, VersionId: version}
	_, err := store.DeleteObject(ctx, in)
	refused(err, "AccessDenied")
	in.BypassGovernanceRetention = aws.Bool(true)
	must(store.DeleteObject(ctx, in))
}

func lockFileTrial(bucket *string) {
	file := aws.String(*object + ".tflock")
	take := func(id string) error {
		in := &s3.PutObjectInput{Bucket: bucket, Key: file, Body: strings.NewReader(lockInfo(id)), IfNoneMatch: aws.String("*")}
		_, err := store.PutObject(ctx, in)
		return err
	}
	must(0, take("one"))
	refused(take("two"), "PreconditionFailed")
	want(strings.Contains(string(get(bucket, file)), `"one"`), "another holds it")
	must(store.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: file}))
}

func errorTrial(bucket *string) {
	var absent *types.NoSuchKey
	_, err := store.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("absent")})
	want(errors.As(err, &absent), fmt.Sprint(err))
	_, err = put(bucket, 1, func(in *s3.PutObjectInput) { in.Body = strings.NewReader("no state") })
	refused(err, "InvalidArgument")
	must(put(bucket, 2))
	_, err = put(bucket, 1)
	refused(err, "PreconditionFailed")
}

func regionTrial(bucket *string) {
	must(store.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))
	want(must(manager.GetBucketRegion(ctx, store, *bucket)) == "us-east-1", "another region")
}

func tableTrial(bucket *string) {
	must(db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            bucket,
		BillingMode:          dbtypes.BillingModePayPerRequest,
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("LockID"), KeyType: dbtypes.KeyTypeHash}},
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("LockID"), AttributeType: "S"}},
	}))
	named := &dynamodb.DescribeTableInput{TableName: bucket}
	must(0, dynamodb.NewTableExistsWaiter(db).Wait(ctx, named, time.Minute))
	must(db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: bucket}))
	must(0, dynamodb.NewTableNotExistsWaiter(db).Wait(ctx, named, time.Minute))
}

type lock struct {
	LockID string
	Info   string `dynamodbav:",omitempty"`
}

func itemTrial(bucket *string) {
	take := func(id string) error {
		item := must(attributevalue.MarshalMap(lock{*bucket + "/net", lockInfo(id)}))
		in := &dynamodb.PutItemInput{TableName: aws.String("locks"), Item: item, ConditionExpression: aws.String("attribute_not_exists(LockID)")}
		_, err := db.PutItem(ctx, in)
		return err
	}
	must(0, take("one"))
	var held *dbtypes.ConditionalCheckFailedException
	want(errors.As(take("two"), &held), "taken twice")
	key := must(attributevalue.MarshalMap(lock{LockID: *bucket + "/net"}))
	item := lock{}
	answer := must(db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("locks"), Key: key, ConsistentRead: aws.Bool(true)}))
	must(0, attributevalue.UnmarshalMap(answer.Item, &item))
	want(strings.Contains(item.Info, `"one"`), "another holds it")
	must(db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("locks"), Key: key}))
}

func expressionTrial(bucket *string) {
	must(put(bucket, 1))
	id := *bucket + "/" + *object + "-md5"
	asked := must(expression.NewBuilder().
		WithKeyCondition(expression.Key("LockID").Equal(expression.Value(id))).
		WithFilter(expression.Name("Digest").AttributeExists()).
		WithProjection(expression.NamesList(expression.Name("Digest"))).Build())
	found := must(db.Query(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String("locks"),
		KeyConditionExpression:    asked.KeyCondition(),
		FilterExpression:          asked.Filter(),
		ProjectionExpression:      asked.Projection(),
		ExpressionAttributeNames:  asked.Names(),
		ExpressionAttributeValues: asked.Values(),
	}))
	want(len(found.Items) == 1 && len(found.Items[0]) == 1, fmt.Sprint(found.Items))
	pages, seen := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: aws.String("locks"), Limit: aws.Int32(1)}), 0
	for pages.HasMorePages() {
		seen += len(must(pages.NextPage(ctx)).Items)
	}
	want(seen > 0, "nothing was found")
}

func sessionTrial(bucket *string) {
	me := must(roles.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))
	provider := stscreds.NewAssumeRoleProvider(roles, "arn:aws:iam::"+*me.Account+":role/any")
	loaded := must(config.LoadDefaultConfig(ctx, config.WithCredentialsProvider(aws.NewCredentialsCache(provider))))
	session := s3.NewFromConfig(loaded, func(o *s3.Options) { o.UsePathStyle = true })
	must(session.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: object, Body: bytes.NewReader(state(1, 0))}))
}
