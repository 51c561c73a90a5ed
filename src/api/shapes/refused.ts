/** A write that was refused, and whose bytes are kept for a while. */
export interface RefusedWriteShape {
  readonly id: string;
  readonly address: string;
  readonly at: string;
  readonly until: string;
  readonly subject: string;
  readonly door: string;
  readonly refused: string;
  readonly reason: string | null;
  readonly lockId: string | null;
  readonly newest: { readonly version: number; readonly serial: string; readonly lineage: string } | null;
  readonly serial: string;
  readonly lineage: string;
  readonly terraformVersion: string;
  readonly encrypted: boolean;
  readonly size: number;
  readonly sha256: string;
}
