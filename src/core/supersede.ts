/** As much of a state's header as the rule needs. */
export interface Superseding {
  readonly serial: bigint;
  /** Empty in states that Terraform 0.8 and older wrote, and in some that were written by hand. */
  readonly lineage: string;
}

/** Why a state may not replace another. */
export type NotSuperseding = 'lineage' | 'serial-lower' | 'serial-equal';

/**
 * Whether a state may replace another one without being forced: it has the same lineage and a higher serial (terraform
 * internal/states/statemgr/migrate.go, `CheckValidImport`). An empty lineage is related to every lineage, as it is there. Its
 * serial counts nevertheless, other than there: of two writers without a lock, the slower one would lose the change of the
 * faster one.
 * @param existing null where there is no state yet
 * @returns the reason against it; null when it may
 */
export function whyNotSupersede(next: Superseding, existing: Superseding | null): NotSuperseding | null {
  if (existing === null) return null;
  const related = next.lineage === existing.lineage || next.lineage === '' || existing.lineage === '';
  if (!related) return 'lineage';
  if (next.serial < existing.serial) return 'serial-lower';
  return next.serial === existing.serial ? 'serial-equal' : null;
}
