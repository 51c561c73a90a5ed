/** What JSON a member of a request is made of, in DynamoDB's model of it. */
type Shape =
  | 'string'
  | 'boolean'
  | 'truth'
  | 'number'
  | 'blob'
  | 'attribute'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly struct: Readonly<Record<string, Shape>> };

/** Deeper values are refused elsewhere, for their depth. */
const DEPTH_MAX = 40;

const ATTRIBUTES: Shape = { map: 'attribute' };
const KEY_SCHEMA: Shape = { list: { struct: { AttributeName: 'string', KeyType: 'string' } } };
const THROUGHPUT: Shape = { struct: { ReadCapacityUnits: 'number', WriteCapacityUnits: 'number' } };
const PROJECTION: Shape = { struct: { ProjectionType: 'string', NonKeyAttributes: { list: 'string' } } };
const INDEX: Readonly<Record<string, Shape>> = {
  IndexName: 'string',
  KeySchema: KEY_SCHEMA,
  Projection: PROJECTION,
  ProvisionedThroughput: THROUGHPUT,
};
const CONDITION: Shape = {
  struct: { ComparisonOperator: 'string', AttributeValueList: { list: 'attribute' } },
};

/** The members of all operations: one name means the same in each. Source: Amazon DynamoDB API reference, data types. */
const MEMBERS: Readonly<Record<string, Shape>> = {
  TableName: 'string',
  Key: ATTRIBUTES,
  Item: ATTRIBUTES,
  ExclusiveStartKey: ATTRIBUTES,
  ExpressionAttributeValues: ATTRIBUTES,
  ExpressionAttributeNames: { map: 'string' },
  ConditionExpression: 'string',
  FilterExpression: 'string',
  KeyConditionExpression: 'string',
  ProjectionExpression: 'string',
  UpdateExpression: 'string',
  ReturnConsumedCapacity: 'string',
  ReturnItemCollectionMetrics: 'string',
  ReturnValues: 'string',
  ReturnValuesOnConditionCheckFailure: 'string',
  ConsistentRead: 'boolean',
  ScanIndexForward: 'boolean',
  Select: 'string',
  Limit: 'number',
  Segment: 'number',
  TotalSegments: 'number',
  IndexName: 'string',
  ExclusiveStartTableName: 'string',
  BillingMode: 'string',
  ProvisionedThroughput: THROUGHPUT,
  DeletionProtectionEnabled: 'boolean',
  KeySchema: KEY_SCHEMA,
  AttributeDefinitions: { list: { struct: { AttributeName: 'string', AttributeType: 'string' } } },
  LocalSecondaryIndexes: { list: { struct: INDEX } },
  GlobalSecondaryIndexes: { list: { struct: INDEX } },
  GlobalSecondaryIndexUpdates: {
    list: {
      struct: {
        Create: { struct: INDEX },
        Update: { struct: INDEX },
        Delete: { struct: { IndexName: 'string' } },
      },
    },
  },
  SSESpecification: { struct: { Enabled: 'boolean', SSEType: 'string', KMSMasterKeyId: 'string' } },
  PointInTimeRecoverySpecification: { struct: { PointInTimeRecoveryEnabled: 'boolean' } },
  ResourceArn: 'string',
  Tags: { list: { struct: { Key: 'string', Value: 'string' } } },
  TagKeys: { list: 'string' },
  AttributesToGet: { list: 'string' },
  ConditionalOperator: 'string',
  Expected: {
    map: {
      struct: {
        Value: 'attribute',
        Exists: 'boolean',
        ComparisonOperator: 'string',
        AttributeValueList: { list: 'attribute' },
      },
    },
  },
  AttributeUpdates: { map: { struct: { Value: 'attribute', Action: 'string' } } },
  KeyConditions: { map: CONDITION },
  QueryFilter: { map: CONDITION },
  ScanFilter: { map: CONDITION },
};

const ATTRIBUTE: Readonly<Record<string, Shape>> = {
  S: 'string',
  N: 'string',
  B: 'blob',
  BOOL: 'truth',
  NULL: 'truth',
  SS: { list: 'string' },
  NS: { list: 'string' },
  BS: { list: 'blob' },
  L: { list: 'attribute' },
  M: ATTRIBUTES,
};

/**
 * Where a request is other JSON than DynamoDB's model of it has: the real service refuses that as a whole, before it looks at what
 * is meant.
 * @returns what is expected at which member; null where all fits
 */
export function wireTypeProblem(asked: unknown): string | null {
  return problemAt('the request', asked, { struct: MEMBERS }, 0);
}

function problemAt(path: string, value: unknown, shape: Shape, depth: number): string | null {
  // A member that is null is none, and one that nobody knows is passed over.
  if (value === undefined || value === null || depth > DEPTH_MAX) return null;
  if (shape === 'blob') return isBase64(value) ? null : `${path}: expected base64`;
  // A word or a digit is understood, and is false or wrong there.
  if (shape === 'truth') {
    return /^(?:[a-z]+|[01])$/i.test(String(value)) && typeof value !== 'object'
      ? null
      : `${path}: expected a boolean`;
  }
  if (typeof shape === 'string' && shape !== 'attribute') {
    return typeof value === shape ? null : `${path}: expected a ${shape}`;
  }
  const isList = typeof shape === 'object' && 'list' in shape;
  if (typeof value !== 'object' || Array.isArray(value) !== isList) {
    if (shape === 'attribute') return `${path}: an attribute value is an object such as {"S": "text"}`;
    return `${path}: expected ${isList ? 'a list' : 'an object'}`;
  }
  const shapeOf = membersOf(shape);
  for (const name in value) {
    const member = shapeOf(name);
    if (member === null || !Object.hasOwn(value, name)) continue;
    const one = (value as Readonly<Record<string, unknown>>)[name];
    const problem = problemAt(`${path}.${name}`, one, member, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** The shape of a member by its name; null where nobody knows it. */
function membersOf(shape: Shape): (name: string) => Shape | null {
  if (typeof shape === 'object' && 'list' in shape) return () => shape.list;
  if (typeof shape === 'object' && 'map' in shape) return () => shape.map;
  const members =
    shape === 'attribute' ? ATTRIBUTE : (shape as { struct: Readonly<Record<string, Shape>> }).struct;
  return (name) => (Object.hasOwn(members, name) ? (members[name] ?? null) : null);
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;
}
