import type { House } from '../house/house.ts';
import type { Door } from '../protocols/door.ts';
import { HttpDoor } from '../protocols/http/door/door.ts';
import { ApiDoor } from './api/door.ts';
import type { ApiParts } from './api/parts.ts';
import { HealthDoor } from './health.ts';
import type { Metrics } from './metrics.ts';

/** Every door of the house: the first that claims a request answers it. A new protocol is a folder and a line here. */
export function listDoors(parts: {
  house: House;
  metrics: Metrics;
  api: ApiParts;
  /** Aborted when the house begins to close. */
  closing: AbortSignal;
}): readonly Door[] {
  const { house, metrics, api, closing } = parts;
  return [new HealthDoor({ house, metrics, closing }), new ApiDoor(api), new HttpDoor(house)];
}
