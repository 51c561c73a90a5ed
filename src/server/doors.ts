import type { House } from '../house/house.ts';
import type { Runs } from '../runs/runs.ts';
import { callIdOf, isResent } from '../protocols/aws/attempt.ts';
import { LockObjects } from '../protocols/lock-object/lock-objects.ts';
import type { Door, DoorEntry, S3Settings } from '../protocols/door.ts';
import { AZURERM } from '../protocols/azurerm/door/entry.ts';
import { CONSUL } from '../protocols/consul/door/entry.ts';
import { GCS } from '../protocols/gcs/door/entry.ts';
import { isResent as isResentToGcs } from '../protocols/gcs/attempt.ts';
import { DYNAMODB } from '../protocols/dynamodb/door/entry.ts';
import { HCP } from '../protocols/hcp/door/entry.ts';
import { HTTP } from '../protocols/http/door/entry.ts';
import { S3 } from '../protocols/s3/door/entry.ts';
import { STS } from '../protocols/sts/door/entry.ts';
import { AgentDoor } from './agents/door.ts';
import { ApiDoor } from './api/door.ts';
import type { ApiParts } from './api/parts.ts';
import type { MeasuredStore } from './bodies/measured.ts';
import { HealthDoor } from './health.ts';
import type { Metrics } from './metrics.ts';
import { RunIdentityDoor } from './run-identity-door.ts';
import { SignpostDoor } from './signposts.ts';
import { IndexDoor } from './index-door.ts';
import type { SharedClock } from './shared-clock.ts';
import { PageDoor } from './page/door.ts';
import { Page } from './page/page.ts';

/** Every protocol that the house speaks. A new one is a folder and a line here. */
export const DOORS: readonly DoorEntry[] = [HTTP, S3, DYNAMODB, STS, GCS, CONSUL, AZURERM, HCP];

/** Loads the code of the protocols' doors. */
export async function loadDoors(): Promise<void> {
  await Promise.all(DOORS.map(({ load }) => load()));
}

/** Opens every door of the house: those of the protocols, and its own. */
export async function openDoors(parts: {
  house: House;
  metrics: Metrics;
  /** The store of large bodies; null where there is none. */
  bodies: Pick<MeasuredStore, 'isFailing'> | null;
  api: ApiParts;
  clock: Pick<SharedClock, 'now' | 'skew'>;
  /** The name under which the house is reached, or null. */
  domain: string | null;
  s3: S3Settings;
  /** null where the house executes none. */
  runs: Runs | null;
  /** Aborted when the house begins to close. */
  closing: AbortSignal;
}): Promise<readonly Door[]> {
  const { house, metrics, bodies, api, clock, domain, s3, runs, closing } = parts;
  const now = (): number => clock.now();
  const page = new Page();
  const lockObjects = new LockObjects(house, {
    now,
    isResent: (request) => isResent(request) || isResentToGcs(request),
    callIdOf,
  });
  return [
    ...(await Promise.all(
      DOORS.map(({ open }) => open({ house, now, domain, s3, lockObjects, runs, closing })),
    )),
    new HealthDoor({ house, metrics, bodies, closing, clock }),
    new ApiDoor(api),
    new AgentDoor(house, runs, closing),
    new RunIdentityDoor(runs),
    new IndexDoor(DOORS, page),
    new PageDoor(page),
    new SignpostDoor(),
  ];
}
