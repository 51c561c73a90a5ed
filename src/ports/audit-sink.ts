import type { Address } from '../core/address.ts';
import type { AuditNote } from '../core/effect.ts';
import type { Instant } from '../core/instant.ts';

/** A record as it leaves the house, besides being kept in it. */
export interface AuditLine {
  readonly at: Instant;
  readonly address: Address | null;
  readonly note: AuditNote;
}

/** Where records of the audit log go besides the engine. */
export interface AuditSink {
  /** Takes a record; it is sent in the background. */
  write(line: AuditLine): void;
  /** @throws {EngineFault} busy, where a device must take each record and none does at present */
  admit(): void;
  /**
   * Resolves once all that was written is taken by a device, where that is required; else at once.
   * @throws {EngineFault} busy, when none takes it in time
   */
  accepted(): Promise<void>;
}

/** For a house whose records go nowhere else. */
export const NO_SINK: AuditSink = {
  write: () => undefined,
  admit: () => undefined,
  accepted: () => Promise.resolve(),
};
