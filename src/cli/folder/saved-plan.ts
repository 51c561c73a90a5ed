import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../failure.ts';

/** Where the plan of a run is, which is kept by its server. */
export interface SavedPlan {
  readonly runId: string;
  readonly hostname: string;
}

/** What terraform writes for `plan -out` under a cloud block (internal/cloud/cloudplan/saved_plan.go). */
const SAVED_PLAN = z.object({
  remote_plan_format: z.literal(1),
  run_id: z.string().regex(/^run-[\w-]{1,100}$/),
  hostname: z.string().min(1),
});

/** Writes a file that `terraform apply FILE` takes as well, in a folder with a cloud block. */
export async function writeSavedPlan(path: string, { runId, hostname }: SavedPlan): Promise<void> {
  const saved: z.infer<typeof SAVED_PLAN> = { remote_plan_format: 1, run_id: runId, hostname };
  await writeFile(path, JSON.stringify(saved));
}

/** @throws Failure when the file was not written by {@link writeSavedPlan}, or by terraform */
export async function readSavedPlan(path: string): Promise<SavedPlan> {
  const next = 'Expected a file that "statehouse run plan --out FILE" or "terraform plan -out FILE" wrote.';
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure(`the saved plan ${path} cannot be read`, { next, cause });
  });
  const read = SAVED_PLAN.safeParse(jsonOf(text));
  if (!read.success) throw new Failure(`${path} is not a saved plan of a server`, { next });
  return { runId: read.data.run_id, hostname: read.data.hostname };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
