import type { LockInfo } from '../../../src/core/lock-info.ts';

/** What came of one attempt to take the lock. */
export type LockOutcome =
  | 'locked'
  /** Held by another, of whom is told: `-lock-timeout` goes on. */
  | 'held'
  /** Anything else, after which terraform gives up. */
  | 'failed';

/** A state as a client has it. */
export interface ClientState {
  readonly serial: number;
  readonly lineage: string;
  readonly text: string;
}

export type ReadOutcome = ClientState | 'absent' | 'failed';

/** What came of a write. A refusal leaves an `errored.tfstate` behind. */
export type WriteOutcome = 'stored' | 'refused' | 'failed';

/** One of terraform's backends, as far as a run needs it. Each call is what the backend makes of it, retries and all. */
export interface Backend {
  readonly name: string;
  lock(info: LockInfo): Promise<LockOutcome>;
  read(): Promise<ReadOutcome>;
  write(state: ClientState, lockId: string | null): Promise<WriteOutcome>;
  /** `refused`: it was told that it does not have that lock. */
  unlock(info: LockInfo): Promise<'released' | 'refused' | 'failed'>;
}

/** A state of which no other has the same text. */
export function stateOf(serial: number, lineage: string, by: string): ClientState {
  const text = `{"version":4,"terraform_version":"1.11.4","serial":${serial},"lineage":"${lineage}","outputs":{"by":{"value":"${by}","type":"string"}},"resources":[],"check_results":null}\n`;
  return { serial, lineage, text };
}

/** @throws where the bytes are no state: nobody ever wrote such bytes */
export function readState(bytes: Uint8Array): ClientState {
  const text = Buffer.from(bytes).toString();
  const { serial, lineage } = JSON.parse(text) as { serial: number; lineage: string };
  return { serial, lineage, text };
}
