import { z } from 'zod';
import type {
  EdgeShape,
  ExploredShape,
  FoundResourceShape,
  FoundStateShape,
  GraphShape,
} from '../../../api/shapes/explore.ts';
import type { FoundResource } from '../../../core/snapshot/contents.ts';
import type { Edge } from '../../../house/explorer/graph.ts';
import type { FoundState } from '../../../house/explorer/explorer.ts';
import { count, instant, objectOf, text } from './plain.ts';

const FOUND_RESOURCE: z.ZodType<FoundResourceShape> = objectOf<FoundResourceShape>({
  address: text('As `terraform state list` prints it.'),
  module: z.string(),
  mode: z.enum(['managed', 'data']),
  type: z.string(),
  name: z.string(),
  provider: text('The source of its provider: `registry.terraform.io/hashicorp/aws`.'),
  values: z
    .array(z.strictObject({ path: z.string(), value: z.string() }))
    .describe('Some of its values that are not sensitive; those that were looked for come first.'),
}).meta({ id: 'FoundResource' });

const FOUND_STATE: z.ZodType<FoundStateShape> = objectOf<FoundStateShape>({
  address: text('`project/key` or `project/key@workspace`'),
  version: count('The version that it was found in.'),
  at: instant('When that was written.'),
  terraformVersion: text('What wrote it; empty where encryption hides it.'),
  writer: text('Who wrote it, as authenticated.'),
  unread: z
    .enum(['encrypted', 'too-large', 'unreadable', 'too-slow'])
    .nullable()
    .describe('Why nothing is known of its resources; null where it is.'),
  matches: count('How many resources fit; all of them where nothing is asked of resources.'),
  resources: z
    .array(FOUND_RESOURCE)
    .describe('The first of those that fit; none where nothing is asked of resources.'),
}).meta({ id: 'FoundState' });

export const EXPLORED: z.ZodType<ExploredShape> = objectOf<ExploredShape>({
  states: z.array(FOUND_STATE).describe('In the order of their addresses.'),
  next: z
    .string()
    .nullable()
    .describe('Give this as `cursor` to go on, even where this page is not full; null at the end.'),
  complete: z.boolean().describe('False while the index is being made: what is not found may be there.'),
}).meta({ id: 'Explored' });

const EDGE: z.ZodType<EdgeShape> = objectOf<EdgeShape>({
  from: text('The address of the state that reads.'),
  to: text('The address of the state that is read.'),
  declared: z.boolean().describe('Whether a `terraform_remote_state` in it says so.'),
  seen: z
    .strictObject({ count: count('How often.'), at: instant('The last time.') })
    .nullable()
    .describe('Reads by who held the lock of the state that reads; null for none.'),
}).meta({ id: 'Edge' });

export const GRAPH: z.ZodType<GraphShape> = objectOf<GraphShape>({
  edges: z.array(EDGE).describe('By the addresses of both ends.'),
  cut: z.boolean().describe('Whether there is more than is told.'),
  complete: z.boolean().describe('False while the index is being made.'),
}).meta({ id: 'Graph' });

export function toEdgeShape({ seen, ...same }: Edge): EdgeShape {
  return { ...same, seen: seen === null ? null : { ...seen, at: new Date(seen.at).toISOString() } };
}

export function toFoundShape(state: FoundState): FoundStateShape {
  const { name, at, resources, ...same } = state;
  return {
    ...same,
    address: name,
    at: new Date(at).toISOString(),
    resources: resources.map(toResourceShape),
  };
}

function toResourceShape({ values, ...same }: FoundResource): FoundResourceShape {
  return { ...same, values: values.map(([path, value]) => ({ path, value })) };
}
