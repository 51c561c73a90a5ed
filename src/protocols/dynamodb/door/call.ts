import type { Caller } from '../../../house/caller.ts';
import type { House } from '../../../house/house.ts';
import type { Undelivered } from '../../../house/locks/unheard.ts';
import type { LockObjects } from '../../lock-object/lock-objects.ts';
import type { DoorRequest } from '../../door.ts';
import type { DynamoError } from './errors.ts';

/** What every row of the table is given, besides what it was asked. */
export interface DoorCall {
  readonly house: House;
  readonly locks: LockObjects;
  readonly caller: Caller;
  readonly request: DoorRequest;
  /** The region that the client signed for, as it stands in names of resources. */
  readonly region: string;
  /** The account that the client is told, as it stands there, too. */
  readonly account: string;
}

/** What a row answers: a document, and what to do if it is never heard; or an error. */
export type Answer =
  | { readonly content: Readonly<Record<string, unknown>>; readonly undelivered?: Undelivered }
  | DynamoError;

/** What the real service counts, for those who ask: one unit a call. */
export function consumed(
  table: string,
  asked: 'INDEXES' | 'TOTAL' | 'NONE' | undefined,
  units: number,
): Readonly<Record<string, unknown>> {
  if (asked === undefined || asked === 'NONE') return {};
  const details = asked === 'INDEXES' ? { Table: { CapacityUnits: units } } : {};
  return { ConsumedCapacity: { TableName: table, CapacityUnits: units, ...details } };
}
