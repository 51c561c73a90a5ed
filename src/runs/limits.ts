import type { Milliseconds } from '../core/instant.ts';
import type { PhaseControl } from './control.ts';
import type { Phase } from './records.ts';
import type { Workplace } from './workplace.ts';

/** What a run may use. */
export interface RunLimits {
  readonly plan: Milliseconds;
  readonly apply: Milliseconds;
  /** Bytes of the run's directory. */
  readonly disk: number;
  /** Bytes of memory of all its processes, and of each of them. */
  readonly memory: number;
  /** Processes at a time. */
  readonly processes: number;
}

const MEBIBYTE = 1_048_576;

export const RUN_LIMITS: RunLimits = {
  plan: 2 * 3_600_000,
  apply: 24 * 3_600_000,
  disk: 4_096 * MEBIBYTE,
  memory: 4_096 * MEBIBYTE,
  processes: 512,
};

/** How often memory and processes are looked at. */
const USAGE_LOOK: Milliseconds = 500;
/** How often the directory is marked as one in use. */
const USE: Milliseconds = 30_000;
/** How often the directory is looked at, at most: a look at many files takes long, and the next one comes the later. */
const DISK_LOOK: Milliseconds = 1_000;
const DISK_LOOKS_PART = 10;

/** Ends what is at work when it uses more than it may. */
export function watchLimits(
  limits: RunLimits,
  { phase, control }: { phase: Phase; control: PhaseControl },
  place: Workplace,
): void {
  control.after(limits[phase], () =>
    control.limit(`the ${phase} took longer than ${Math.round(limits[phase] / 60_000)} minutes`, false),
  );
  const lookAtDisk = async (): Promise<void> => {
    const from = control.now();
    if ((await place.size()) > limits.disk)
      control.limit(`the run used more than ${mebibytes(limits.disk)} MiB of disk`, true);
    else
      control.after(Math.max(DISK_LOOK, (control.now() - from) * DISK_LOOKS_PART), () => void lookAtDisk());
  };
  const lookAtUse = async (): Promise<void> => {
    const { memory, processes } = await control.usage();
    if (processes > limits.processes)
      control.limit(`the run had more than ${limits.processes} processes`, true);
    else if (memory > limits.memory)
      control.limit(`the run used more than ${mebibytes(limits.memory)} MiB of memory`, true);
    else control.after(USAGE_LOOK, () => void lookAtUse());
  };
  const use = async (): Promise<void> => {
    await place.use();
    control.after(USE, () => void use());
  };
  control.after(USE, () => void use());
  control.after(DISK_LOOK, () => void lookAtDisk());
  control.after(USAGE_LOOK, () => void lookAtUse());
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / MEBIBYTE);
}
