import type { JSX } from 'preact';
import type { LockInfoShape } from '../../../src/api/shapes/lock.ts';
import { ciRunIn } from '../../../src/core/ci-run.ts';

/** A link to the run of a pipeline that somebody holds or waits for a lock in, where the lock info or its reason names one. */
export function CiRunLink({ texts }: { texts: readonly string[] }): JSX.Element | null {
  const run = texts.map(ciRunIn).find((one) => one !== null);
  if (run === undefined || run === null) return null;
  return (
    <a class="ci-run" href={run.url} target="_blank" rel="noopener noreferrer nofollow" title={run.url}>
      {run.service}
      <span class="hidden"> run</span> ↗
    </a>
  );
}

/** The texts of a lock info in which a run may be named. */
export function textsOf({
  reason,
  info,
}: {
  readonly reason: string;
  readonly info: LockInfoShape | null;
}): readonly string[] {
  return [reason, info?.Info ?? '', info?.Who ?? ''];
}
