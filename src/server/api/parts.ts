import type { Retention } from '../../core/retention.ts';
import type { House } from '../../house/house.ts';
import type { Log } from '../../ports/log.ts';
import type { Runs } from '../../runs/runs.ts';
import type { WholeFile } from '../backup-copy.ts';
import type { ShownSettings } from '../configuration.ts';
import type { Machine } from '../machine.ts';
import type { KeyRotation } from '../rotate-key.ts';
import type { SnapshotWorker } from './content/snapshot-worker.ts';
import type { EventHub } from './events/hub.ts';
import type { ExploredCsv } from './explored-csv.ts';

/** How this house was started, as far as its users may know. */
export interface About extends ShownSettings {
  /** The version of the program. */
  readonly version: string;
  readonly retention: Retention;
}

/** What the API is built from. */
export interface ApiParts {
  readonly house: House;
  /** null where the house executes none. */
  readonly runs: Runs | null;
  readonly about: About;
  readonly rotation: KeyRotation;
  readonly log: Log;
  readonly events: EventHub;
  readonly exploredCsv: ExploredCsv;
  readonly snapshotWorker: SnapshotWorker;
  readonly machine: Machine;
  /** null where the engine has means of its own. */
  readonly wholeFile: WholeFile | null;
}
