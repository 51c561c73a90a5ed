import { z } from 'zod';
import type { WorkspaceSetting } from '../../../house/workspaces/records.ts';
import { EXECUTION_MODES } from '../../../runs/execution.ts';
import type { SentResource } from '../json-api.ts';
import { related } from '../json-api.ts';
import { readProjectId } from '../layout.ts';
import type { DoorCall } from './call.ts';
import { invalid, type HcpError } from './errors.ts';

const TEXT = z.string().max(4_096).nullable();
const FLAG = z.boolean().nullable();
const LIST = z.array(z.string().max(1_024)).max(100).nullable();

/** `latest`, `1.11.4`, or a constraint such as `~> 1.11.0, != 1.11.2`. */
const TERRAFORM_VERSION = /^(?:latest|(?:(?:[<>]=?|!=|=|~>)?\s*\d+(?:\.\d+){0,2}(?:-[\w.]+)?(?:,\s*|$))+)$/;

/** What can be set of a workspace, by HCP's names. What is not here is taken and forgotten, as an unknown attribute is there. */
const SETTINGS = z.object({
  'allow-destroy-plan': FLAG.optional(),
  'assessments-enabled': FLAG.optional(),
  'auto-apply': FLAG.optional(),
  'auto-apply-run-trigger': FLAG.optional(),
  'auto-destroy-activity-duration': TEXT.optional(),
  'auto-destroy-at': TEXT.optional(),
  description: TEXT.optional(),
  'execution-mode': z.enum(EXECUTION_MODES).nullable().optional(),
  'agent-pool-id': TEXT.optional(),
  'file-triggers-enabled': FLAG.optional(),
  'global-remote-state': FLAG.optional(),
  'inherits-project-auto-destroy': FLAG.optional(),
  'queue-all-runs': FLAG.optional(),
  'source-name': TEXT.optional(),
  'source-url': TEXT.optional(),
  'speculative-enabled': FLAG.optional(),
  'structured-run-output-enabled': FLAG.optional(),
  'terraform-version': z
    .string()
    .max(100)
    .regex(TERRAFORM_VERSION, 'expected "latest", a version, or a constraint of versions')
    .nullable()
    .optional(),
  'trigger-patterns': LIST.optional(),
  'trigger-prefixes': LIST.optional(),
  'working-directory': TEXT.optional(),
});

/** Tags of one workspace. */
export const TAGS_MAX = 100;
const TAG_LENGTH_MAX = 255;
/** A tag's key, and its value: HCP takes letters, digits and `_ - : . = + @ space`. */
const TAG_KEY = /^[\p{L}\p{N}_.:=+@ -]+$/u;

/** The settings in a document's attributes. */
export function readSettings(
  attributes: SentResource['attributes'],
  { runs }: Pick<DoorCall, 'runs'>,
): Readonly<Record<string, WorkspaceSetting>> | HcpError {
  const mode = attributes['execution-mode'];
  const modes: readonly unknown[] =
    runs === null ? ['local'] : runs.executesHere ? ['remote', 'local', 'agent'] : ['local', 'agent'];
  if (mode !== undefined && mode !== null && !modes.includes(mode)) {
    const expected = modes.map((one) => `"${String(one)}"`).join(' or ');
    const why = runs === null ? ', since this server executes no runs' : ' on this server';
    return invalid(`invalid execution-mode ${JSON.stringify(mode)}: expected ${expected}${why}`);
  }
  const parsed = SETTINGS.safeParse(attributes);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return invalid(`invalid ${issue?.path.join('.') ?? 'attribute'}: ${issue?.message ?? ''}`);
  }
  return Object.fromEntries(
    Object.entries(parsed.data).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Tags, each of a resource: `tags` have a name, `tag-bindings` a key and a value. */
export function readTags(resources: readonly SentResource[]): Readonly<Record<string, string>> | HcpError {
  const tags: Record<string, string> = {};
  for (const { attributes } of resources) {
    const { key, value = '', name } = attributes;
    const said = key ?? name;
    if (typeof said !== 'string' || !TAG_KEY.test(said) || said.length > TAG_LENGTH_MAX) {
      return invalid(`a tag's key has 1 to ${TAG_LENGTH_MAX} letters, digits and characters of "_-:.=+@"`);
    }
    if (value !== null && (typeof value !== 'string' || value.length > TAG_LENGTH_MAX)) {
      return invalid(`the value of a tag is a text of at most ${TAG_LENGTH_MAX} characters`);
    }
    tags[said] = value ?? '';
  }
  if (Object.keys(tags).length > TAGS_MAX) return invalid(`a workspace has at most ${TAGS_MAX} tags`);
  return tags;
}

/** The project of HCP's that a document puts a workspace into; undefined where it says nothing. */
export function groupOf(sent: SentResource, organization: string): string | null | undefined | HcpError {
  const [project] = related(sent, 'project') ?? [];
  if (project === undefined) return undefined;
  const read = readProjectId(project.id ?? '');
  return read === null || read.organization !== organization
    ? invalid(`there is no project "${project.id ?? ''}" in organization ${organization}`)
    : read.name;
}
