import type * as z from 'zod';
import type { Answer, DoorCall } from './call.ts';
import type { Operation } from './detect.ts';
import { invalid } from './errors.ts';
import { deleteItem, getItem, putItem, updateItem } from './items.ts';
import * as requests from './requests.ts';
import { query, scan } from './scanning.ts';
import * as tables from './tables.ts';

/** What an operation takes, checked, and what it does with it. */
type Row = (call: DoorCall, asked: unknown) => Promise<Answer>;

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, Row>> = {
  GetItem: row(requests.GET_ITEM, getItem),
  PutItem: row(requests.PUT_ITEM, putItem),
  DeleteItem: row(requests.DELETE_ITEM, deleteItem),
  UpdateItem: row(requests.UPDATE_ITEM, updateItem),
  Query: row(requests.QUERY, query),
  Scan: row(requests.SCAN, scan),
  CreateTable: row(requests.CREATE_TABLE, tables.createTable),
  DescribeTable: row(requests.NAMED_TABLE, tables.describeTable),
  ListTables: row(requests.LIST_TABLES, tables.listTables),
  UpdateTable: row(requests.UPDATE_TABLE, tables.updateTable),
  DeleteTable: row(requests.NAMED_TABLE, tables.deleteTable),
  DescribeTimeToLive: row(requests.NAMED_TABLE, tables.describeTimeToLive),
  DescribeContinuousBackups: row(requests.NAMED_TABLE, tables.describeContinuousBackups),
  UpdateContinuousBackups: row(requests.UPDATE_BACKUPS, tables.updateContinuousBackups),
  ListTagsOfResource: row(requests.LIST_TAGS, tables.listTags),
  TagResource: row(requests.TAG_RESOURCE, tables.tagResource),
  UntagResource: row(requests.UNTAG_RESOURCE, tables.untagResource),
};

function row<T>(schema: z.ZodType<T>, operation: (call: DoorCall, asked: T) => Promise<Answer>): Row {
  return async (call, asked) => {
    const members = typeof asked === 'object' && asked !== null ? asked : {};
    const refused = Object.keys(requests.REFUSED_MEMBERS).find((name) => Object.hasOwn(members, name));
    if (refused !== undefined) {
      return invalid(`${refused} is not supported: ${requests.REFUSED_MEMBERS[refused]}.`);
    }
    const checked = schema.safeParse(asked);
    if (checked.success) return operation(call, checked.data);
    const [issue] = checked.error.issues;
    // What the door checks itself is said in DynamoDB's own words.
    if (issue?.code === 'custom') return invalid(issue.message);
    return invalid(`1 validation error detected: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  };
}
