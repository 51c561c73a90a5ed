/** Whether what is there is as a state says, as far as the last check that found it out. */
export interface DriftShape {
  /** `project/key@workspace` */
  readonly address: string;
  readonly drifted: boolean;
  /** How many resources have drifted; 0 where outputs alone have. */
  readonly count: number;
  /** When that check began, and its run; null where there was none. */
  readonly checkedAt: string | null;
  readonly run: string | null;
  /** Why the check after it found nothing out; null where there was none, or it did. */
  readonly problem: string | null;
}

/** The same with what has drifted, and when it is looked at. */
export interface DriftDetailShape extends DriftShape {
  /** `every 24h` or `daily at 03:00`, in UTC; null for never. */
  readonly schedule: string | null;
  readonly dueAt: string | null;
  /** The state was written since it was looked at. */
  readonly outdated: boolean;
  /** Up to 1,000 of them, without their values. */
  readonly resources: readonly { readonly address: string; readonly action: 'update' | 'delete' }[];
}
