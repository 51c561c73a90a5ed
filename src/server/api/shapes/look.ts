import { z } from 'zod';
import type { BlockShape, HouseShape, RightsShape, VersionChangesShape } from '../../../api/shapes/look.ts';
import { ACTIONS } from '../../../core/action.ts';
import { count, instant, objectOf, text } from './plain.ts';
import { GRANT } from './house.ts';

const CHANGES_OF_ONE: z.ZodType<VersionChangesShape> = objectOf<VersionChangesShape>({
  version: count('The number of the version.'),
  before: z.int().nullable().describe('The version that it is compared with; null where none is kept.'),
  counts: z
    .strictObject({
      added: count('Resource instances that are new.'),
      changed: count('Resource instances that differ.'),
      removed: count('Resource instances that are gone.'),
      outputs: count('Outputs that differ.'),
      instances: count('Managed objects that the version has.'),
    })
    .nullable()
    .describe('null where the contents cannot be compared.'),
  problem: z
    .string()
    .nullable()
    .describe('Why they cannot be: `encrypted`, `too-large`, `unreadable`, `busy` …'),
}).meta({ id: 'VersionChanges' });

export const CHANGES: z.ZodType<{ readonly changes: readonly VersionChangesShape[] }> = objectOf<{
  readonly changes: readonly VersionChangesShape[];
}>({ changes: z.array(CHANGES_OF_ONE).describe('Newest first.') }).meta({ id: 'ChangesOfVersions' });

const BLOCK: z.ZodType<BlockShape> = objectOf<BlockShape>({
  backend: text('As the backend block names it.'),
  block: text('The backend block.'),
  files: z.array(z.strictObject({ path: z.string(), text: z.string() })).describe('What to add to files.'),
  environment: z
    .array(z.strictObject({ name: z.string(), value: z.string() }))
    .describe('Variables to export; `ID` and `SECRET` stand for those of a credential.'),
  notes: z.array(z.string()).describe('What else is to be known, a sentence each.'),
}).meta({ id: 'Block' });

export const BLOCKS: z.ZodType<{ readonly blocks: readonly BlockShape[] }> = objectOf<{
  readonly blocks: readonly BlockShape[];
}>({ blocks: z.array(BLOCK) }).meta({ id: 'Blocks' });

const RIGHTS_OF_ONE: z.ZodType<RightsShape> = objectOf<RightsShape>({
  credential: z.string().nullable().describe('The id of the credential.'),
  subject: text('As locks, versions and the audit log show it.'),
  actions: z.array(z.enum(ACTIONS)).describe('What it may do there.'),
  by: z.array(GRANT).describe('The grants that say so.'),
}).meta({ id: 'RightsOfOne' });

export const RIGHTS: z.ZodType<{ readonly rights: readonly RightsShape[] }> = objectOf<{
  readonly rights: readonly RightsShape[];
}>({ rights: z.array(RIGHTS_OF_ONE) }).meta({ id: 'Rights' });

export const HOUSE: z.ZodType<HouseShape> = objectOf<HouseShape>({
  version: text('The version of the program.'),
  engine: text('`sqlite`, `postgres` or `memory`.'),
  now: instant('The time, by the clock that locks and versions are dated with.'),
  stored: z.strictObject({
    states: count('States that are not deleted.'),
    versions: count('Versions that are kept.'),
    bytes: count('Bytes of the database.'),
  }),
  disk: z
    .strictObject({ free: count('Bytes.'), total: count('Bytes.') })
    .nullable()
    .describe('Of the data directory; null where the data is elsewhere.'),
  backup: z.strictObject({
    possible: z.boolean().describe('Whether this server can be backed up through the API.'),
    last: z.string().nullable().describe('When that was last done; null for never.'),
  }),
  nodes: z
    .array(z.strictObject({ node: z.string(), self: z.boolean() }))
    .describe('The nodes that live; `self` is the one that answers.'),
  lagMs: z
    .int()
    .nullable()
    .describe("How long ago the database took this node's sign of life; null for the embedded engine."),
  certificateEnds: z.string().nullable().describe('When the TLS certificate ends; null without TLS.'),
  masterKeySeals: count('How often the master key has encrypted, at most: change it before 2^32.'),
  parked: count('Lock requests that this node holds open.'),
  reencrypting: z.boolean().describe('Whether encrypting the states anew was begun and is not done.'),
}).meta({ id: 'House' });
