import type { House } from '../house/house.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../protocols/door.ts';
import { sourceOf } from '../protocols/caller.ts';
import { presentedBy } from '../protocols/wire/authorization.ts';
import type { Milliseconds } from '../core/instant.ts';
import { SEALS_WARN } from '../house/seal-count.ts';
import { SKEW_TOLD, type SharedClock } from './shared-clock.ts';
import type { MeasuredStore } from './bodies/measured.ts';
import type { Metrics } from './metrics.ts';
import { QuotaFigures } from './quota-figures.ts';

/** What is small goes on, so the server is ready. */
const NO_BODIES = '; the body store does not answer, and large states are refused';

/**
 * How the house is. `/healthz`: the process answers. `/readyz`: it can read and write, and is not shutting down.
 * `/metrics`: counts for Prometheus, for any credential, since they tell how a team works.
 */
export class HealthDoor implements Door {
  readonly name = 'health';
  readonly routes: DoorRoutes = { paths: ['/healthz', '/readyz', '/metrics'] };
  readonly #house: House;
  readonly #metrics: Metrics;
  readonly #bodies: Pick<MeasuredStore, 'isFailing'> | null;
  readonly #closing: AbortSignal;
  readonly #clock: Pick<SharedClock, 'skew'>;
  readonly #quotas: QuotaFigures;
  #checking: Promise<void> | null = null;

  constructor(options: {
    house: House;
    metrics: Metrics;
    bodies: Pick<MeasuredStore, 'isFailing'> | null;
    closing: AbortSignal;
    clock: Pick<SharedClock, 'skew'>;
  }) {
    this.#house = options.house;
    this.#metrics = options.metrics;
    this.#bodies = options.bodies;
    this.#closing = options.closing;
    this.#clock = options.clock;
    this.#quotas = new QuotaFigures(options.house.projects);
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    if (request.path === '/healthz') return say('healthz', 200, 'ok');
    if (request.path === '/metrics') return this.#tell(request);
    if (this.#closing.aborted) return say('readyz', 503, 'shutting down');
    // Anybody may ask this, so that many who ask at a time are answered by one look.
    this.#checking ??= this.#house.check().finally(() => (this.#checking = null));
    await this.#checking;
    const notes = [
      skewInWords(this.#clock.skew),
      sealsInWords(this.#house.seals),
      this.#bodies?.isFailing === true ? NO_BODIES : '',
    ];
    return say('readyz', 200, `ready${notes.join('')}`);
  }

  fault(): DoorReply {
    return say('readyz', 503, 'not ready');
  }

  /** A probe that is refused has the house restarted. */
  throttled(): null {
    return null;
  }

  async #tell(request: DoorRequest): Promise<DoorReply> {
    const identity = await this.#house.identity.authenticate(presentedBy(request), sourceOf(this, request));
    if (identity === null || this.#house.gate.known(identity) !== null) {
      const reply = say('metrics', 401, 'a credential is needed');
      return {
        ...reply,
        headers: { ...reply.headers, 'www-authenticate': 'Basic realm="Statehouse"' },
        stranger: true,
      };
    }
    const { contentType, body } = await this.#metrics.text();
    // An engine that does not answer takes no other metric with it.
    const quotas = await this.#quotas.text({ identity, door: this.name }).catch(() => '');
    return {
      operation: 'metrics',
      status: 200,
      headers: { 'content-type': contentType },
      body: Buffer.from(body + quotas),
    };
  }
}

/** It harms nobody, since the database's time is used, but the records of this machine tell wrong times. */
function skewInWords(skew: Milliseconds): string {
  if (Math.abs(skew) <= SKEW_TOLD) return '';
  const way = skew > 0 ? 'ahead of' : 'behind';
  return `; the clock of this node is ${Math.round(Math.abs(skew) / 1_000)} s ${way} the database's`;
}

/** It is safe for as long again, but the key should be another one by then. */
function sealsInWords(seals: number): string {
  return seals >= SEALS_WARN ? '; the master key has encrypted very often: run "statehouse rotate-key"' : '';
}

function say(operation: string, status: number, text: string): DoorReply {
  return { operation, status, headers: { 'content-type': 'text/plain' }, body: Buffer.from(`${text}\n`) };
}
