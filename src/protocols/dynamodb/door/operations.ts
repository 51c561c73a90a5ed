import type * as z from 'zod';
import type { Answer, DoorCall } from './call.ts';
import type { Operation } from './detect.ts';
import { invalid, refused } from './errors.ts';
import { deleteItem, getItem, putItem, updateItem } from './items.ts';
import * as requests from './requests.ts';
import { query, scan } from './scanning.ts';
import * as tables from './tables.ts';
import { wireTypeProblem } from './wire-types.ts';

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
  CreateTable: tableRow(requests.CREATE_TABLE, tables.createTable),
  DescribeTable: tableRow(requests.NAMED_TABLE, tables.describeTable),
  ListTables: tableRow(requests.LIST_TABLES, tables.listTables),
  UpdateTable: tableRow(requests.UPDATE_TABLE, tables.updateTable),
  DeleteTable: tableRow(requests.NAMED_TABLE, tables.deleteTable),
  DescribeTimeToLive: tableRow(requests.NAMED_TABLE, tables.describeTimeToLive),
  DescribeContinuousBackups: tableRow(requests.NAMED_TABLE, tables.describeContinuousBackups),
  UpdateContinuousBackups: tableRow(requests.UPDATE_BACKUPS, tables.updateContinuousBackups),
  ListTagsOfResource: tableRow(requests.LIST_TAGS, tables.listTags),
  TagResource: tableRow(requests.TAG_RESOURCE, tables.tagResource),
  UntagResource: tableRow(requests.UNTAG_RESOURCE, tables.untagResource),
};

/** An operation on tables, which are nobody's: whoever is known may ask, and no grace is for that. */
function tableRow<T>(schema: z.ZodType<T>, operation: (call: DoorCall, asked: T) => Promise<Answer>): Row {
  const answer = row(schema, operation);
  return async (call, asked) => {
    const shut = call.house.gate.known(call.caller.identity);
    return shut === null ? answer(call, asked) : refused(shut);
  };
}

function row<T>(schema: z.ZodType<T>, operation: (call: DoorCall, asked: T) => Promise<Answer>): Row {
  return async (call, asked) => {
    const members = typeof asked === 'object' && asked !== null ? asked : {};
    const misshapen = wireTypeProblem(asked);
    if (misshapen !== null) return { error: 'SerializationException', message: misshapen };
    const unsupported = Object.keys(requests.REFUSED_MEMBERS).find((name) => Object.hasOwn(members, name));
    if (unsupported !== undefined) {
      return invalid(`${unsupported} is not supported: ${requests.REFUSED_MEMBERS[unsupported]}.`);
    }
    const checked = schema.safeParse(asked);
    if (checked.success) return operation(call, checked.data);
    const [issue] = checked.error.issues;
    // What the door checks itself is said in DynamoDB's own words.
    if (issue?.code === 'custom') return invalid(issue.message);
    return invalid(`1 validation error detected: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  };
}
