import type { House } from '../house/house.ts';
import type { Clock } from '../ports/clock.ts';
import { LockMemory } from '../protocols/aws/lock-memory.ts';
import { AwsLocks } from '../protocols/aws/locks.ts';
import { RefusalMemory } from '../protocols/aws/refusal-memory.ts';
import type { Door } from '../protocols/door.ts';
import { DynamoDbDoor } from '../protocols/dynamodb/door/door.ts';
import { HttpDoor } from '../protocols/http/door/door.ts';
import { S3Door } from '../protocols/s3/door/door.ts';
import { StsDoor } from '../protocols/sts/door/door.ts';
import { ApiDoor } from './api/door.ts';
import type { ApiParts } from './api/parts.ts';
import { HealthDoor } from './health.ts';
import type { Metrics } from './metrics.ts';
import { Signpost } from './signpost.ts';

/** Every door of the house: the first that claims a request answers it. A new protocol is a folder and a line here. */
export function listDoors(parts: {
  house: House;
  metrics: Metrics;
  api: ApiParts;
  clock: Clock;
  /** The name under which the house is reached, or null. */
  domain: string | null;
  /** Aborted when the house begins to close. */
  closing: AbortSignal;
}): readonly Door[] {
  const { house, metrics, api, clock, domain, closing } = parts;
  const now = (): number => clock.now();
  const locks = new AwsLocks(house, new LockMemory(now), new RefusalMemory(now));
  return [
    // Known by their signatures, whatever their path: a bucket may have any name.
    new S3Door(house, { locks, now, domain }),
    new DynamoDbDoor(house, { locks, now }),
    new StsDoor(house, now),
    new HealthDoor({ house, metrics, closing }),
    new ApiDoor(api),
    new HttpDoor(house),
    new Signpost(),
  ];
}
