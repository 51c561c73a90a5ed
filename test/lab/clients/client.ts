import type { Milliseconds } from '../../../src/core/instant.ts';
import type { Call, Network } from '../network/network.ts';
import type { WireReply, WireRequest } from '../network/server-side.ts';
import type { VirtualTime } from '../time/virtual-time.ts';

/** How a client ends in the middle of something. */
export type Death = 'killed' | 'vanished';

/** Where a client runs. */
export interface Host {
  readonly peer: string;
  readonly port: number;
}

/** A process of somebody: it sleeps and asks, and when it has died, nothing goes on that it had begun. */
export class Client {
  readonly host: Host;
  readonly time: VirtualTime;
  readonly #network: Network;
  readonly #calls = new Set<Call>();
  #isDead = false;

  constructor(parts: { host: Host; time: VirtualTime; network: Network }) {
    this.host = parts.host;
    this.time = parts.time;
    this.#network = parts.network;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  sleep(time: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      this.time.after(time, () => {
        if (!this.#isDead) resolve();
      });
    });
  }

  /** @returns null where the connection broke */
  send(request: Omit<WireRequest, 'peer' | 'port'>): Promise<WireReply | null> {
    return new Promise((resolve) => {
      const call = this.#network.send({ ...request, ...this.host }, (reply) => {
        this.#calls.delete(call);
        if (!this.#isDead) resolve(reply);
      });
      this.#calls.add(call);
    });
  }

  die(death: Death): void {
    this.#isDead = true;
    for (const call of this.#calls) {
      if (death === 'killed') call.hangUp();
      else call.vanish();
    }
    this.#calls.clear();
  }
}
