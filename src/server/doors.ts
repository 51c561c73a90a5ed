import type { House } from '../house/house.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Door } from '../protocols/door.ts';
import { HttpDoor } from '../protocols/http/door/door.ts';
import { HealthDoor } from './health.ts';
import type { KeySource } from './master-key.ts';
import type { Metrics } from './metrics.ts';

/** Every door of the house: the first that claims a request answers it. A new protocol is a folder and a line here. */
export function listDoors(parts: {
  house: House;
  metrics: Metrics;
  keyring: Keyring;
  keys: KeySource;
  isClosing: () => boolean;
}): readonly Door[] {
  const { house, metrics, isClosing } = parts;
  return [new HealthDoor({ house, metrics, isClosing }), new HttpDoor(house)];
}
