import { z } from 'zod';
import type { Instant } from '../../core/instant.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { WORKSPACE_GROUP_KIND, WORKSPACE_KIND } from '../records/kinds.ts';

/** What a client keeps with a workspace in its protocol's words. */
export type WorkspaceSetting = string | number | boolean | null | readonly string[];

/** A workspace that was made, or of which something was set, under the text form of its address. */
export interface StoredWorkspace {
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly updatedAt: Instant;
  /** The group of its project that it is in; null for none. */
  readonly group: string | null;
  /** By key; the value of a tag without one is empty. */
  readonly tags: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, WorkspaceSetting>>;
}

export const WORKSPACES: RecordDefinition<StoredWorkspace> = defineRecords<StoredWorkspace>(
  WORKSPACE_KIND,
  z.object({
    createdAt: z.number(),
    createdBy: z.string(),
    updatedAt: z.number(),
    group: z.string().nullable(),
    tags: z.record(z.string(), z.string()),
    settings: z.record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]),
    ),
  }),
);

/** Workspaces of a project that belong together, under `project name`. HCP calls them a project of an organization. */
export interface StoredGroup {
  readonly createdAt: Instant;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

export const WORKSPACE_GROUPS: RecordDefinition<StoredGroup> = defineRecords<StoredGroup>(
  WORKSPACE_GROUP_KIND,
  z.object({
    createdAt: z.number(),
    description: z.string(),
    tags: z.record(z.string(), z.string()),
  }),
);
