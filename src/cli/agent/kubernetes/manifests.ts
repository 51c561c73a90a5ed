import { parseDocument } from 'yaml';
import { z } from 'zod';
import { RUN_PROGRAMS } from '../../../runs/records.ts';
import type { AboutAgent, Job } from '../../../runs/agents/wire.ts';

/** Says in the manifest which programs its image has: "terraform 1.11.4, tofu 1.9.0". */
const PROGRAMS_ANNOTATION = 'statehouse/programs';
/** Where a pod finds the phase that is its. */
const JOB_DIRECTORY = '/run/secrets/statehouse-phase';
const JOB_FILE = 'job.json';
const VOLUME = 'statehouse-phase';
/** How long the cluster keeps a Job whose controller was killed. */
const KEPT_SECONDS = 600;

/** What a manifest may have besides what is looked at. */
interface Loose {
  readonly [name: string]: unknown;
}
interface Labelled extends Loose {
  readonly labels?: Readonly<Record<string, string>> | undefined;
}
interface Container extends Loose {
  readonly env?: readonly Loose[] | undefined;
  readonly volumeMounts?: readonly Loose[] | undefined;
}
interface PodSpec extends Loose {
  readonly volumes?: readonly Loose[] | undefined;
  readonly containers: readonly Container[];
}
interface JobManifest extends Loose {
  readonly metadata: Labelled & {
    readonly namespace?: string | undefined;
    readonly annotations: Loose;
  };
  readonly spec: Loose & {
    readonly ttlSecondsAfterFinished?: number | undefined;
    readonly template: Loose & { readonly metadata?: Labelled | undefined; readonly spec: PodSpec };
  };
}

const LIST: z.ZodType<readonly Loose[]> = z.array(z.looseObject({}));
const TEMPLATE: z.ZodType<JobManifest> = z.looseObject({
  apiVersion: z.literal('batch/v1'),
  kind: z.literal('Job'),
  metadata: z.looseObject({
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.looseObject({ [PROGRAMS_ANNOTATION]: z.string() }),
  }),
  spec: z.looseObject({
    ttlSecondsAfterFinished: z.number().optional(),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()).optional() }).optional(),
      spec: z.looseObject({
        volumes: LIST.optional(),
        containers: z.array(z.looseObject({ env: LIST.optional(), volumeMounts: LIST.optional() })).min(1),
      }),
    }),
  }),
});

/** A manifest that Jobs are made after. */
export interface JobTemplate {
  readonly manifest: JobManifest;
  /** What its image has. */
  readonly programs: AboutAgent['programs'];
}

/** Reads the manifest of a Job, as YAML or JSON. @throws Error with words for the operator */
export function readJobTemplate(text: string): JobTemplate {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw new Error(`the manifest cannot be read as YAML: ${fault.message}`);
  const found = TEMPLATE.safeParse(document.toJS());
  if (!found.success) {
    const [issue] = found.error.issues;
    throw new Error(
      `phases cannot be executed by this manifest, expected a Job: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const told = found.data.metadata.annotations[PROGRAMS_ANNOTATION] ?? '';
  return { manifest: found.data, programs: readPrograms(String(told)) };
}

/** The Job of one phase: one pod, which is never started a second time. */
export function jobManifest(
  { manifest }: JobTemplate,
  name: string,
  { run, phase }: Pick<Job, 'run' | 'phase'>,
): object {
  const labels = { 'statehouse/run': run.id, 'statehouse/phase': phase };
  const { metadata, spec } = manifest;
  const { template } = spec;
  const [first, ...others] = template.spec.containers;
  const container = {
    ...first,
    env: [...(first?.env ?? []), { name: 'STATEHOUSE_JOB_FILE', value: `${JOB_DIRECTORY}/${JOB_FILE}` }],
    volumeMounts: [
      ...(first?.volumeMounts ?? []),
      { name: VOLUME, mountPath: JOB_DIRECTORY, readOnly: true },
    ],
  };
  const volume = { name: VOLUME, secret: { secretName: name, defaultMode: 0o440 } };
  return {
    ...manifest,
    metadata: { ...metadata, name, labels: { ...metadata.labels, ...labels } },
    spec: {
      ...spec,
      parallelism: 1,
      completions: 1,
      backoffLimit: 0,
      ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished ?? KEPT_SECONDS,
      template: {
        ...template,
        metadata: { ...template.metadata, labels: { ...template.metadata?.labels, ...labels } },
        spec: {
          ...template.spec,
          restartPolicy: 'Never',
          volumes: [...(template.spec.volumes ?? []), volume],
          containers: [container, ...others],
        },
      },
    },
  };
}

/** What the pod is told, which goes with its Job. */
export function secretManifest(name: string, uid: string, job: Job): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    immutable: true,
    metadata: { name, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid }] },
    data: { [JOB_FILE]: Buffer.from(JSON.stringify(job)).toString('base64') },
  };
}

function readPrograms(text: string): AboutAgent['programs'] {
  return text.split(',').map((one) => {
    const [name = '', version = '', ...rest] = one.trim().split(/\s+/);
    const program = RUN_PROGRAMS.find((known) => known === name);
    if (program === undefined || version === '' || rest.length > 0)
      throw new Error(
        `the annotation "${PROGRAMS_ANNOTATION}" of the manifest says "${one.trim()}": expected a program and a version, such as "terraform 1.11.4"`,
      );
    return { program, version };
  });
}
