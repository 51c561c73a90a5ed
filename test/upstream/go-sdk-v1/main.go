// What programs with version 1 of AWS's SDK for Go do with a bucket of states, a table of locks and STS, against the server that
// AWS_ENDPOINT_URL names. Prints a line for each trial, "pass NAME" or "fail NAME: why". Each has a bucket of its own.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/credentials/stscreds"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/aws/aws-sdk-go/service/dynamodb/dynamodbattribute"
	"github.com/aws/aws-sdk-go/service/dynamodb/expression"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/s3/s3manager"
	"github.com/aws/aws-sdk-go/service/sts"
)

const large = 12 << 20

var (
	object = aws.String("net/terraform.tfstate")
	locks  = aws.String("locks")
	shared *session.Session
	store  *s3.S3
	db     *dynamodb.DynamoDB
)

var trials = []struct {
	name string
	run  func(bucket *string)
}{
	{"a bucket is made, waited for, told of and removed", bucketTrial},
	{"a state is put, read and deleted", objectTrial},
	{"a large state goes up and down by the manager", managerTrial},
	{"names and versions are listed by pages", listTrial},
	{"an old version is copied onto its state", restoreTrial},
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
	// This version knows no AWS_ENDPOINT_URL.
	settings := aws.NewConfig().WithEndpoint(os.Getenv("AWS_ENDPOINT_URL")).WithS3ForcePathStyle(true)
	shared = session.Must(session.NewSession(settings))
	store, db = s3.New(shared), dynamodb.New(shared)
	only := strings.Join(os.Args[1:], " ")
	for number, one := range trials {
		if strings.Contains(one.name, only) {
			play(one.name, func() { one.run(aws.String(fmt.Sprintf("go1-%d", number))) })
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
	told, ok := err.(awserr.Error)
	want(ok && told.Code() == code, fmt.Sprintf("not refused with %s: %v", code, err))
}

func state(serial, size int) []byte {
	text := fmt.Sprintf(`{"version":4,"serial":%d,"lineage":"l","outputs":{},"resources":[]}`, serial)
	return append([]byte(text), bytes.Repeat([]byte(" "), max(0, size-len(text)))...)
}

func lockInfo(id string) string {
	return fmt.Sprintf(`{"ID":"%s","Operation":"OperationTypeApply","Info":"","Who":"me","Version":"1.5.0","Created":"2026-01-01T00:00:00Z","Path":"x"}`, id)
}

func put(bucket, key *string, serial int) (*s3.PutObjectOutput, error) {
	return store.PutObject(&s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(state(serial, 0))})
}

func get(bucket, key *string) []byte {
	answer := must(store.GetObject(&s3.GetObjectInput{Bucket: bucket, Key: key}))
	return must(io.ReadAll(answer.Body))
}

func bucketTrial(bucket *string) {
	must(store.CreateBucket(&s3.CreateBucketInput{Bucket: bucket}))
	must(0, store.WaitUntilBucketExists(&s3.HeadBucketInput{Bucket: bucket}))
	must(store.GetBucketVersioning(&s3.GetBucketVersioningInput{Bucket: bucket}))
	must(store.GetBucketLocation(&s3.GetBucketLocationInput{Bucket: bucket}))
	want(len(must(store.ListBuckets(&s3.ListBucketsInput{})).Buckets) > 0, "no bucket is listed")
	must(store.DeleteBucket(&s3.DeleteBucketInput{Bucket: bucket}))
	must(0, store.WaitUntilBucketNotExists(&s3.HeadBucketInput{Bucket: bucket}))
}

func objectTrial(bucket *string) {
	stored := must(put(bucket, object, 1))
	head := &s3.HeadObjectInput{Bucket: bucket, Key: object}
	must(0, store.WaitUntilObjectExists(head))
	want(bytes.Equal(get(bucket, object), state(1, 0)), "other bytes came")
	want(*must(store.HeadObject(head)).ETag == *stored.ETag, "another ETag")
	part := must(store.GetObject(&s3.GetObjectInput{Bucket: bucket, Key: object, Range: aws.String("bytes=0-4")}))
	want(bytes.Equal(must(io.ReadAll(part.Body)), state(1, 0)[:5]), "another part came")
	must(store.DeleteObject(&s3.DeleteObjectInput{Bucket: bucket, Key: object}))
	must(0, store.WaitUntilObjectNotExists(head))
}

func managerTrial(bucket *string) {
	whole, into := state(1, large), aws.NewWriteAtBuffer(nil)
	in := &s3manager.UploadInput{Bucket: bucket, Key: object, Body: bytes.NewReader(whole)}
	must(s3manager.NewUploader(shared).Upload(in))
	must(s3manager.NewDownloader(shared).Download(into, &s3.GetObjectInput{Bucket: bucket, Key: object}))
	want(bytes.Equal(into.Bytes(), whole), "other bytes came")
}

func listTrial(bucket *string) {
	for _, name := range []string{"a/1", "b/1", "c d/ü+1"} {
		must(put(bucket, &name, 1))
	}
	must(put(bucket, aws.String("a/1"), 2))
	names, versions := []string{}, 0
	in := &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int64(2)}
	must(0, store.ListObjectsV2Pages(in, func(page *s3.ListObjectsV2Output, _ bool) bool {
		for _, one := range page.Contents {
			names = append(names, *one.Key)
		}
		return true
	}))
	want(strings.Join(names, ",") == "a/1,b/1,c d/ü+1", strings.Join(names, ","))
	history := &s3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int64(3)}
	must(0, store.ListObjectVersionsPages(history, func(page *s3.ListObjectVersionsOutput, _ bool) bool {
		versions += len(page.Versions)
		return true
	}))
	want(versions == 4, fmt.Sprint(versions, " versions"))
}

func restoreTrial(bucket *string) {
	must(put(bucket, object, 1))
	must(put(bucket, object, 2))
	source := aws.String(*bucket + "/" + *object + "?versionId=1")
	must(store.CopyObject(&s3.CopyObjectInput{Bucket: bucket, Key: object, CopySource: source}))
	want(strings.Contains(string(get(bucket, object)), `"serial":3`), "another serial")
}

func deleteTrial(bucket *string) {
	must(put(bucket, object, 1))
	named := &s3.Delete{Objects: []*s3.ObjectIdentifier{{Key: object}, {Key: aws.String("absent")}}}
	answer := must(store.DeleteObjects(&s3.DeleteObjectsInput{Bucket: bucket, Delete: named}))
	want(len(answer.Deleted) == 2, "not both are deleted")
}

func presignTrial(bucket *string) {
	write, _ := store.PutObjectRequest(&s3.PutObjectInput{Bucket: bucket, Key: object})
	request := must(http.NewRequest("PUT", must(write.Presign(time.Minute)), bytes.NewReader(state(1, 0))))
	want(must(http.DefaultClient.Do(request)).StatusCode == 200, "the state was not taken")
	read, _ := store.GetObjectRequest(&s3.GetObjectInput{Bucket: bucket, Key: object})
	answer := must(http.Get(must(read.Presign(time.Minute))))
	want(bytes.Equal(must(io.ReadAll(answer.Body)), state(1, 0)), "other bytes came")
}

func objectLockTrial(bucket *string) {
	must(store.CreateBucket(&s3.CreateBucketInput{Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true)}))
	version := must(put(bucket, object, 1)).VersionId
	retention := &s3.ObjectLockRetention{Mode: aws.String("GOVERNANCE"), RetainUntilDate: aws.Time(time.Now().Add(time.Hour))}
	said := &s3.PutObjectRetentionInput{Bucket: bucket, Key: object, VersionId: version, Retention: retention}
	must(store.PutObjectRetention(said))
	in := &s3.DeleteObjectInput{Bucket: bucket, Key: object, VersionId: version}
	_, err := store.DeleteObject(in)
	refused(err, "AccessDenied")
	in.BypassGovernanceRetention = aws.Bool(true)
	must(store.DeleteObject(in))
}

func lockFileTrial(bucket *string) {
	file := aws.String(*object + ".tflock")
	// This version has no IfNoneMatch: a lock file is never overwritten in any case.
	take := func(id string) error {
		_, err := store.PutObject(&s3.PutObjectInput{Bucket: bucket, Key: file, Body: strings.NewReader(lockInfo(id))})
		return err
	}
	must(0, take("one"))
	refused(take("two"), "PreconditionFailed")
	want(strings.Contains(string(get(bucket, file)), `"one"`), "another holds it")
	must(store.DeleteObject(&s3.DeleteObjectInput{Bucket: bucket, Key: file}))
}

func errorTrial(bucket *string) {
	_, err := store.GetObject(&s3.GetObjectInput{Bucket: bucket, Key: aws.String("absent")})
	refused(err, s3.ErrCodeNoSuchKey)
	_, err = store.PutObject(&s3.PutObjectInput{Bucket: bucket, Key: object, Body: strings.NewReader("no state")})
	refused(err, "InvalidArgument")
	must(put(bucket, object, 2))
	_, err = put(bucket, object, 1)
	refused(err, "PreconditionFailed")
}

func regionTrial(bucket *string) {
	must(store.CreateBucket(&s3.CreateBucketInput{Bucket: bucket}))
	region := must(s3manager.GetBucketRegion(context.Background(), shared, *bucket, "us-west-2"))
	want(region == "us-east-1", "another region: "+region)
}

func tableTrial(bucket *string) {
	must(db.CreateTable(&dynamodb.CreateTableInput{
		TableName:            bucket,
		BillingMode:          aws.String("PAY_PER_REQUEST"),
		KeySchema:            []*dynamodb.KeySchemaElement{{AttributeName: aws.String("LockID"), KeyType: aws.String("HASH")}},
		AttributeDefinitions: []*dynamodb.AttributeDefinition{{AttributeName: aws.String("LockID"), AttributeType: aws.String("S")}},
	}))
	must(0, db.WaitUntilTableExists(&dynamodb.DescribeTableInput{TableName: bucket}))
	must(db.DeleteTable(&dynamodb.DeleteTableInput{TableName: bucket}))
	must(0, db.WaitUntilTableNotExists(&dynamodb.DescribeTableInput{TableName: bucket}))
}

type lock struct {
	LockID string
	Info   string `dynamodbav:",omitempty"`
}

func itemTrial(bucket *string) {
	take := func(id string) error {
		item := must(dynamodbattribute.MarshalMap(lock{*bucket + "/net", lockInfo(id)}))
		in := &dynamodb.PutItemInput{TableName: locks, Item: item, ConditionExpression: aws.String("attribute_not_exists(LockID)")}
		_, err := db.PutItem(in)
		return err
	}
	must(0, take("one"))
	refused(take("two"), dynamodb.ErrCodeConditionalCheckFailedException)
	key := must(dynamodbattribute.MarshalMap(lock{LockID: *bucket + "/net"}))
	item := lock{}
	answer := must(db.GetItem(&dynamodb.GetItemInput{TableName: locks, Key: key, ConsistentRead: aws.Bool(true)}))
	must(0, dynamodbattribute.UnmarshalMap(answer.Item, &item))
	want(strings.Contains(item.Info, `"one"`), "another holds it")
	must(db.DeleteItem(&dynamodb.DeleteItemInput{TableName: locks, Key: key}))
}

func expressionTrial(bucket *string) {
	must(put(bucket, object, 1))
	id := *bucket + "/" + *object + "-md5"
	asked := must(expression.NewBuilder().
		WithKeyCondition(expression.Key("LockID").Equal(expression.Value(id))).
		WithProjection(expression.NamesList(expression.Name("Digest"))).Build())
	found := must(db.Query(&dynamodb.QueryInput{
		TableName:                 locks,
		KeyConditionExpression:    asked.KeyCondition(),
		ProjectionExpression:      asked.Projection(),
		ExpressionAttributeNames:  asked.Names(),
		ExpressionAttributeValues: asked.Values(),
	}))
	want(len(found.Items) == 1 && len(found.Items[0]) == 1, fmt.Sprint(found.Items))
}

func sessionTrial(bucket *string) {
	me := must(sts.New(shared).GetCallerIdentity(&sts.GetCallerIdentityInput{}))
	role := stscreds.NewCredentials(shared, "arn:aws:iam::"+*me.Account+":role/any")
	client := s3.New(shared, aws.NewConfig().WithCredentials(role))
	in := &s3.PutObjectInput{Bucket: bucket, Key: object, Body: bytes.NewReader(state(1, 0))}
	must(client.PutObject(in))
}
