/** That an apply of one state makes a run of another. */
export interface RunTriggerShape {
  readonly id: string;
  /** The state whose runs are made: `project/key@workspace`. */
  readonly address: string;
  /** The state whose applies count. */
  readonly after: string;
  readonly createdAt: string;
  readonly createdBy: string;
}
