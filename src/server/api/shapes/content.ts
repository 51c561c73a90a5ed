import { z } from 'zod';
import type { Check } from '../../../core/snapshot/snapshot.ts';
import type {
  ChangeShape,
  DiffShape,
  InstanceChangeShape,
  InstanceShape,
  OutputShape,
  OutputsShape,
  SideShape,
  SnapshotShape,
  ValueChangeShape,
} from '../../../api/shapes/content.ts';
import { count, objectOf, text } from './plain.ts';

const OUTPUT: z.ZodType<OutputShape> = objectOf<OutputShape>({
  name: z.string(),
  type: z.unknown().describe('The type as Terraform writes it: `"string"`, `["list","string"]`.'),
  value: z.unknown().describe('Sensitive parts read `(sensitive value)` where they are masked.'),
  sensitive: z.boolean().describe('Whether any part of the value is sensitive.'),
}).meta({ id: 'Output' });

export const OUTPUTS: z.ZodType<OutputsShape> = objectOf<OutputsShape>({
  version: count('The version that they are of.'),
  serial: text('Its serial.'),
  outputs: z.array(OUTPUT).describe('By name.'),
}).meta({ id: 'Outputs' });

const INSTANCE: z.ZodType<InstanceShape> = objectOf<InstanceShape>({
  address: text('As `terraform state list` prints it.'),
  module: z.string(),
  mode: z.enum(['managed', 'data']),
  type: z.string(),
  name: z.string(),
  provider: z.string(),
  tainted: z.boolean(),
  deposed: z.string().nullable().describe('The key of an object that a replacement left; else null.'),
  dependencies: z.array(z.string()),
  attributes: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('Given when one instance was asked for, sensitive values masked; else null.'),
}).meta({ id: 'Instance' });

const CHECK: z.ZodType<Check> = objectOf<Check>({
  kind: z.string(),
  address: z.string(),
  status: z.string(),
  messages: z.array(z.string()),
}).meta({ id: 'Check' });

export const SNAPSHOT: z.ZodType<SnapshotShape> = objectOf<SnapshotShape>({
  version: count('The version that was read.'),
  serial: z.string(),
  lineage: z.string(),
  terraformVersion: z.string(),
  summary: objectOf<SnapshotShape['summary']>({
    resources: count('Resource blocks with at least one instance, data sources not counted.'),
    instances: z.int(),
    dataInstances: z.int(),
    outputs: z.int(),
    modules: z.int(),
    tainted: z.int(),
    deposed: z.int(),
    failedChecks: count('Checks whose last status was `fail` or `error`.'),
    types: z
      .array(z.strictObject({ type: z.string(), count: z.int() }))
      .describe('Resource types of managed instances, the most frequent first.'),
  }),
  outputs: z.array(OUTPUT).describe('Sensitive values masked.'),
  instances: z.array(INSTANCE),
  checks: z.array(CHECK),
}).meta({ id: 'Snapshot' });

const CHANGE: z.ZodType<ChangeShape> = objectOf<ChangeShape>({ before: z.string(), after: z.string() }).meta({
  id: 'Change',
});

const SIDE: z.ZodType<SideShape> = objectOf<SideShape>({ value: z.unknown(), sensitive: z.boolean() }).meta({
  id: 'Side',
});

const VALUE_CHANGE: z.ZodType<ValueChangeShape> = objectOf<ValueChangeShape>({
  path: text('`tags.Name`, `ingress[0].port`.'),
  before: SIDE.nullable().describe('null if it did not exist.'),
  after: SIDE.nullable().describe('null if it no longer exists.'),
}).meta({ id: 'ValueChange' });

const INSTANCE_CHANGE: z.ZodType<InstanceChangeShape> = objectOf<InstanceChangeShape>({
  address: z.string(),
  kind: z.enum(['added', 'removed', 'changed']),
  attributes: z.array(VALUE_CHANGE),
  beside: z.array(z.string()).describe('What differs apart from the attributes: `tainted`, `provider` …'),
}).meta({ id: 'InstanceChange' });

export const DIFF: z.ZodType<DiffShape> = objectOf<DiffShape>({
  from: z.int(),
  to: z.int(),
  same: z.boolean().describe("Only the serial, the lineage or the writer's version differ, if anything."),
  serial: CHANGE.nullable(),
  lineage: CHANGE.nullable(),
  terraformVersion: CHANGE.nullable(),
  outputs: z.array(VALUE_CHANGE),
  instances: z.array(INSTANCE_CHANGE),
  checks: z.array(z.strictObject({ before: CHECK.nullable(), after: CHECK.nullable() })),
}).meta({ id: 'Diff' });
