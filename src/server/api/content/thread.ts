import { parentPort } from 'node:worker_threads';
import { tell, type Told, type Telling } from './telling.ts';

/** The thread that takes states apart, so that no other request waits for a large one. */

export interface Order {
  readonly id: number;
  readonly telling: Telling;
}

export interface Done {
  readonly id: number;
  readonly told: Told;
}

parentPort?.on('message', ({ id, telling }: Order) => {
  parentPort?.postMessage({ id, told: tell(telling) } satisfies Done);
});
