import type { Check } from '../../core/snapshot/snapshot.ts';
import type { SnapshotSummary } from '../../core/snapshot/summary.ts';

export interface OutputShape {
  readonly name: string;
  readonly type: unknown;
  readonly value: unknown;
  readonly sensitive: boolean;
}

export interface OutputsShape {
  readonly version: number;
  readonly serial: string;
  readonly outputs: readonly OutputShape[];
}

export interface InstanceShape {
  readonly address: string;
  readonly module: string;
  readonly mode: 'managed' | 'data';
  readonly type: string;
  readonly name: string;
  readonly provider: string;
  readonly tainted: boolean;
  readonly deposed: string | null;
  readonly dependencies: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>> | null;
}

export interface SnapshotShape {
  readonly version: number;
  readonly serial: string;
  readonly lineage: string;
  readonly terraformVersion: string;
  readonly summary: Omit<SnapshotSummary, 'types'> & {
    readonly types: readonly { readonly type: string; readonly count: number }[];
  };
  readonly outputs: readonly OutputShape[];
  readonly instances: readonly InstanceShape[];
  readonly checks: readonly Check[];
}

export interface ChangeShape {
  readonly before: string;
  readonly after: string;
}

export interface SideShape {
  readonly value: unknown;
  readonly sensitive: boolean;
}

export interface ValueChangeShape {
  readonly path: string;
  readonly before: SideShape | null;
  readonly after: SideShape | null;
}

export interface InstanceChangeShape {
  readonly address: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly attributes: readonly ValueChangeShape[];
  readonly beside: readonly string[];
}

export interface DiffShape {
  readonly from: number;
  readonly to: number;
  readonly same: boolean;
  readonly serial: ChangeShape | null;
  readonly lineage: ChangeShape | null;
  readonly terraformVersion: ChangeShape | null;
  readonly outputs: readonly ValueChangeShape[];
  readonly instances: readonly InstanceChangeShape[];
  readonly checks: readonly { readonly before: Check | null; readonly after: Check | null }[];
}
