/** Something outside that takes records: how they get there, and nothing of when. */
export interface AuditDevice {
  /** For logs and metrics; without a secret. */
  readonly name: string;
  /** Resolves once the lines are taken. @throws when they are not, or not known to be */
  send(lines: readonly string[]): Promise<void>;
  /** Begins anew where it was opened, as for a file that was moved away. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** How long a device may take. */
export const SEND_MS = 5_000;
