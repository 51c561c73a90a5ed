import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll } from 'vitest';
import { TestHouse } from '../../support/open-test-house.ts';
import { dynamoClient, s3Client } from './sdk.ts';

/** A house for the tests of one file, and the admin's SDK clients of its AWS doors. */
export class AwsHouse {
  #house: TestHouse | null = null;
  #s3: S3Client | null = null;
  #db: DynamoDBClient | null = null;
  #buckets = 0;

  /** Opens it before the first test of the file, and closes it after the last. */
  static forThisFile(): AwsHouse {
    const aws = new AwsHouse();
    beforeAll(async () => {
      aws.#house = await TestHouse.open();
      aws.#s3 = s3Client(aws.house.url);
      aws.#db = dynamoClient(aws.house.url);
    });
    afterAll(async () => {
      aws.#s3?.destroy();
      aws.#db?.destroy();
      await aws.#house?.close();
    });
    return aws;
  }

  get house(): TestHouse {
    return opened(this.#house);
  }

  get s3(): S3Client {
    return opened(this.#s3);
  }

  get db(): DynamoDBClient {
    return opened(this.#db);
  }

  /** A bucket that no test has used. */
  newBucket(): string {
    this.#buckets += 1;
    return `bucket-${this.#buckets}`;
  }
}

function opened<T>(part: T | null): T {
  if (part === null) throw new Error('the house is open while a test runs, and not before');
  return part;
}
