import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DIGEST, HASH_KEY, INFO } from '../../dynamodb/layout.ts';
import type { S3Config } from './config.ts';
import { connectDynamo } from './connection.ts';
import { explainFault, isConflict } from './faults.ts';
import { loadDynamo } from './sdk.ts';

/** The DynamoDB calls that the s3 backend needs: items with a `LockID` and one other text. */
export class LockItems {
  readonly #config: S3Config;
  readonly #table: string;
  #client: Promise<DynamoDBClient> | null = null;

  constructor(config: S3Config, table: string) {
    this.#config = config;
    this.#table = table;
  }

  async get(lockId: string, attribute: typeof INFO | typeof DIGEST): Promise<string | null> {
    const { GetItemCommand } = await loadDynamo();
    const answer = await this.#send((client) =>
      client.send(
        new GetItemCommand({
          TableName: this.#table,
          Key: { [HASH_KEY]: { S: lockId } },
          ConsistentRead: true,
          ProjectionExpression: `${HASH_KEY}, ${attribute}`,
        }),
      ),
    );
    return answer.Item?.[attribute]?.S ?? null;
  }

  /** Puts the lock's item; says false when there is one already. */
  async putNew(lockId: string, info: string): Promise<boolean> {
    const { PutItemCommand } = await loadDynamo();
    return this.#ifMet((client) =>
      client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: { [HASH_KEY]: { S: lockId }, [INFO]: { S: info } },
          ConditionExpression: `attribute_not_exists(${HASH_KEY})`,
        }),
      ),
    );
  }

  async putDigest(lockId: string, digest: string): Promise<void> {
    const { PutItemCommand } = await loadDynamo();
    await this.#send((client) =>
      client.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: { [HASH_KEY]: { S: lockId }, [DIGEST]: { S: digest } },
        }),
      ),
    );
  }

  /** Deletes the lock's item if it still has this text; says false when it has another, or is gone. */
  async deleteIf(lockId: string, info: string): Promise<boolean> {
    const { DeleteItemCommand } = await loadDynamo();
    return this.#ifMet((client) =>
      client.send(
        new DeleteItemCommand({
          TableName: this.#table,
          Key: { [HASH_KEY]: { S: lockId } },
          ConditionExpression: `${INFO} = :info`,
          ExpressionAttributeValues: { ':info': { S: info } },
        }),
      ),
    );
  }

  async delete(lockId: string): Promise<void> {
    const { DeleteItemCommand } = await loadDynamo();
    await this.#send((client) =>
      client.send(new DeleteItemCommand({ TableName: this.#table, Key: { [HASH_KEY]: { S: lockId } } })),
    );
  }

  /** The table's hash key, as `LockID (S)`; null where asking is not allowed. */
  async describe(): Promise<{ readonly keys: string; readonly deletionProtected: boolean } | null> {
    const { DescribeTableCommand } = await loadDynamo();
    this.#client ??= connectDynamo(this.#config);
    const client = await this.#client;
    const answer = await client.send(new DescribeTableCommand({ TableName: this.#table })).catch(() => null);
    const table = answer?.Table;
    if (table === undefined) return null;
    const type = (name: string | undefined): string =>
      table.AttributeDefinitions?.find(({ AttributeName }) => AttributeName === name)?.AttributeType ?? '?';
    const keys = (table.KeySchema ?? []).map(
      ({ AttributeName }) => `${AttributeName} (${type(AttributeName)})`,
    );
    return { keys: keys.join(', '), deletionProtected: table.DeletionProtectionEnabled === true };
  }

  async close(): Promise<void> {
    (await this.#client?.catch(() => null))?.destroy();
    this.#client = null;
  }

  async #ifMet(call: (client: DynamoDBClient) => Promise<unknown>): Promise<boolean> {
    try {
      this.#client ??= connectDynamo(this.#config);
      await call(await this.#client);
      return true;
    } catch (fault) {
      if (isConflict(fault)) return false;
      throw explainFault(fault, this.#config);
    }
  }

  async #send<T>(call: (client: DynamoDBClient) => Promise<T>): Promise<T> {
    try {
      this.#client ??= connectDynamo(this.#config);
      return await call(await this.#client);
    } catch (fault) {
      throw explainFault(fault, this.#config);
    }
  }
}
