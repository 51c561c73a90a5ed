/** A plan, or a plan and its apply, that the server executes. */
export interface RunShape {
  readonly id: string;
  /** `project/key@workspace` */
  readonly address: string;
  readonly status: string;
  /** `plan` ends with its plan, `saved` waits beside the line, `apply` holds the lock. */
  readonly kind: 'plan' | 'saved' | 'apply';
  readonly destroy: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly message: string;
  readonly program: 'terraform' | 'tofu';
  readonly version: string;
  readonly hasChanges: boolean;
  /** What the plan would do, in resources; null before it is known. */
  readonly counts: {
    readonly additions: number;
    readonly changes: number;
    readonly destructions: number;
    readonly imports: number;
  } | null;
  /** Why it ended, where its log does not say it. */
  readonly problem: string | null;
}

/** What may be asked of a run. */
export type RunActionName = 'confirm' | 'discard' | 'cancel' | 'force-cancel';

/** A stretch of a log. */
export interface RunLogShape {
  readonly text: string;
  /** Give this as `offset` for what comes next. */
  readonly next: number;
  /** Nothing comes after it. */
  readonly ended: boolean;
}

/** A run that is to be made of what was applied last. What is absent is false or empty. */
export interface RunAgainShape {
  /** Whether it may apply; else it ends with its plan. */
  readonly apply?: boolean | undefined;
  /** Whether it applies without being confirmed. */
  readonly autoApply?: boolean | undefined;
  readonly destroy?: boolean | undefined;
  readonly refreshOnly?: boolean | undefined;
  /** Does not look at what is there. */
  readonly noRefresh?: boolean | undefined;
  readonly targets?: readonly string[] | undefined;
  readonly replaces?: readonly string[] | undefined;
  readonly message?: string | undefined;
  /** The version of the program; absent: the one that it was applied with. */
  readonly version?: string | undefined;
}
