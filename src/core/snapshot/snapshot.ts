import type { Json } from './json.ts';
import type { Masked } from './masked.ts';

/** What a state says, read for people and programs; the state itself stays the bytes that it is. */
export interface Snapshot {
  readonly type: 'snapshot';
  readonly serial: bigint;
  readonly lineage: string;
  readonly terraformVersion: string;
  /** By name. */
  readonly outputs: readonly Output[];
  /** One for each object that the state tracks, in the state's own order. */
  readonly instances: readonly Instance[];
  /** Sorted: the order in the state is random (Go maps) and means nothing. */
  readonly checks: readonly Check[];
}

/** OpenTofu's encrypted state, of which only this can be read. */
export interface EncryptedSnapshot {
  readonly type: 'encrypted';
  readonly serial: bigint;
  readonly lineage: string;
}

/** A value, with the parts of it that nobody should see by accident. */
export interface Value {
  readonly content: Masked;
  /** Whether any part of it is masked. */
  readonly sensitive: boolean;
}

export interface Output extends Value {
  readonly name: string;
  /** The type as Terraform writes it in JSON: `"string"`, `["list","string"]`. */
  readonly valueType: Json;
}

export interface Attribute extends Value {
  readonly name: string;
}

export interface Instance {
  /** As `terraform state list` prints it: `module.net["a"].aws_subnet.this[0]`. */
  readonly address: string;
  readonly module: string;
  readonly mode: 'managed' | 'data';
  readonly resourceType: string;
  readonly name: string;
  readonly provider: string;
  readonly schemaVersion: string;
  readonly tainted: boolean;
  /** The key of an object that a replacement left to be destroyed; null for the current one. */
  readonly deposed: string | null;
  readonly dependencies: readonly string[];
  readonly attributes: readonly Attribute[];
  /** Whether the provider keeps bytes of its own here. They may hold secrets and are never shown. */
  readonly private: string | null;
}

export interface Check {
  readonly kind: string;
  readonly address: string;
  readonly status: string;
  readonly messages: readonly string[];
}

export type SnapshotProblem = { readonly problem: string };
