/** A resource instance that was found. */
export interface FoundResourceShape {
  readonly address: string;
  readonly module: string;
  readonly mode: 'managed' | 'data';
  readonly type: string;
  readonly name: string;
  readonly provider: string;
  /** Some of its values that are not sensitive; those that were looked for come first. */
  readonly values: readonly { readonly path: string; readonly value: string }[];
}

/** A state in which something was found. */
export interface FoundStateShape {
  readonly address: string;
  readonly version: number;
  readonly at: string;
  readonly terraformVersion: string;
  /** Who wrote the version. */
  readonly writer: string;
  /** Why nothing is known of its resources; null where it is. */
  readonly unread: 'encrypted' | 'too-large' | 'unreadable' | 'too-slow' | null;
  /** How many resources fit. */
  readonly matches: number;
  readonly resources: readonly FoundResourceShape[];
}

export interface ExploredShape {
  readonly states: readonly FoundStateShape[];
  readonly next: string | null;
  /** False while the index is being made: what is not found may be there. */
  readonly complete: boolean;
}

/** That one state reads another. */
export interface EdgeShape {
  readonly from: string;
  readonly to: string;
  /** A `terraform_remote_state` in it says so. */
  readonly declared: boolean;
  /** It was seen while the lock of the one that reads was held; null where it was not. */
  readonly seen: { readonly count: number; readonly at: string } | null;
}

export interface GraphShape {
  readonly edges: readonly EdgeShape[];
  /** There is more than is told. */
  readonly cut: boolean;
  /** False while the index is being made. */
  readonly complete: boolean;
}
