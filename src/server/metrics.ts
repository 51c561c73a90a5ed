import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client';
import type { AuditDevices } from './audit-devices/devices.ts';
import type { House } from '../house/house.ts';
import type { StoredFigures } from '../ports/engine.ts';
import type { LockFigures } from '../house/locks/lock-figures.ts';
import { measureRuns, type MeasuredRuns } from './run-metrics.ts';
import type { SharedClock } from './shared-clock.ts';

/** Durations from a commit without a wait to a parked request's hour. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];

const UNKNOWN: LockFigures = { held: Number.NaN, oldest: Number.NaN, parked: Number.NaN, away: Number.NaN };

const NOT_COUNTED: StoredFigures = { states: Number.NaN, versions: Number.NaN, bytes: Number.NaN };

/** What of a house is measured. */
export interface MeasuredHouse extends Pick<
  House,
  'parked' | 'inFlightBytes' | 'seals' | 'listen' | 'lockFigures' | 'storedFigures' | 'lockIdle' | 'lag'
> {
  readonly backups: Pick<House['backups'], 'last'>;
  readonly webhooks: Pick<House['webhooks'], 'counts'>;
}

const IN_STEP: Pick<SharedClock, 'skew'> = { skew: 0 };

/** What the house counts. Labels are names from tables, never what a client sent. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'door' | 'operation' | 'status'>;
  readonly #undelivered: Counter<'door' | 'operation'>;
  readonly #outcomes: Counter<'command' | 'outcome'>;
  readonly #handovers: Counter;

  constructor(
    house: MeasuredHouse,
    certificate: { readonly ends: number } | null = null,
    devices: Pick<AuditDevices, 'standings'> | null = null,
    clock: Pick<SharedClock, 'skew'> = IN_STEP,
  ) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'statehouse_request_duration_seconds',
      help: 'Duration of requests by door, operation and status; for parked requests the waiting is included.',
      labelNames: ['door', 'operation', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.#undelivered = new Counter({
      name: 'statehouse_replies_undelivered_total',
      help: 'Replies whose connection closed before they were sent completely.',
      labelNames: ['door', 'operation'],
      registers,
    });
    this.#outcomes = new Counter({
      name: 'statehouse_outcomes_total',
      help: 'Commands about states and locks by outcome: granted, held, released, stored, stale and so on.',
      labelNames: ['command', 'outcome'],
      registers,
    });
    this.#handovers = new Counter({
      name: 'statehouse_lock_handovers_total',
      help: 'Locks handed to a waiting request in the same step that released them.',
      registers,
    });
    const parked: Gauge = new Gauge({
      name: 'statehouse_parked_requests',
      help: 'Lock requests that are held open now.',
      registers,
      collect: () => parked.set(house.parked),
    });
    // An engine that does not answer takes no other metric with it.
    const look = (): Promise<LockFigures> => house.lockFigures().catch(() => UNKNOWN);
    const lock: Gauge<'what'> = new Gauge({
      name: 'statehouse_locks',
      help: 'States that are locked (held), and who waits for them: parked, or away between two requests. Of all nodes together, up to 1,000 locked states.',
      labelNames: ['what'],
      registers,
      collect: async () => {
        const { held, parked: waiting, away } = await look();
        for (const [what, count] of Object.entries({ held, parked: waiting, away }))
          lock.set({ what }, count);
      },
    });
    const oldest: Gauge = new Gauge({
      name: 'statehouse_lock_oldest_age_seconds',
      help: 'How long the oldest lock has been held; 0 if none is.',
      registers,
      collect: async () => oldest.set((await look()).oldest / 1_000),
    });
    this.#measureStore(house, clock);
    const rejected = new Counter({
      name: 'statehouse_writes_rejected_total',
      help: 'Writes of states that were refused, by reason: stale, held, fenced, shared-hold, over-quota, expired.',
      labelNames: ['reason'],
      registers,
    });
    const inFlight: Gauge = new Gauge({
      name: 'statehouse_in_flight_bytes',
      help: 'Bytes in memory of states that are being received now.',
      registers,
      collect: () => inFlight.set(house.inFlightBytes),
    });
    const seals: Gauge = new Gauge({
      name: 'statehouse_master_key_seals',
      help: 'How often the master key has encrypted, at most; at 2^32 it must have been changed.',
      registers,
      collect: () => seals.set(house.seals),
    });
    if (certificate !== null) {
      const ends: Gauge = new Gauge({
        name: 'statehouse_certificate_end_timestamp_seconds',
        help: 'When the TLS certificate ends, in seconds since 1970.',
        registers,
        collect: () => ends.set(certificate.ends / 1_000),
      });
    }
    const records: Gauge<'device' | 'what'> = new Gauge({
      name: 'statehouse_audit_device_records',
      help: 'Records of the audit log by device: taken and dropped since the start, and waiting now.',
      labelNames: ['device', 'what'],
      registers,
      collect: () => {
        for (const { name: device, taken, dropped, waiting } of devices?.standings ?? []) {
          for (const [what, count] of Object.entries({ taken, dropped, waiting })) {
            records.set({ device, what }, count);
          }
        }
      },
    });
    house.listen((command, { outcome, handovers }) => {
      this.#outcomes.inc({ command: command.type, outcome: outcome.type });
      this.#handovers.inc(handovers.length);
      if (command.type === 'write' && outcome.type !== 'stored') rejected.inc({ reason: outcome.type });
    });
  }

  /** What is kept, and how this node keeps up. */
  #measureStore(house: MeasuredHouse, clock: Pick<SharedClock, 'skew'>): void {
    const registers = [this.#registry];
    const stored = (): Promise<StoredFigures> => house.storedFigures().catch(() => NOT_COUNTED);
    const STORED: readonly (readonly [keyof StoredFigures, string, string])[] = [
      ['states', 'statehouse_states', 'States that are not deleted.'],
      ['versions', 'statehouse_versions', 'Versions of states that are kept, those of deleted states, too.'],
      ['bytes', 'statehouse_stored_bytes', 'Bytes of the database, with its free pages.'],
    ];
    for (const [what, name, help] of STORED) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers,
        collect: async () => gauge.set((await stored())[what]),
      });
    }
    const idle: Gauge = new Gauge({
      name: 'statehouse_lock_idle_while_waited_seconds',
      help: 'Seconds that locks were free while a client that had asked before still wanted them, on this node since its start.',
      registers,
      collect: () => idle.set(house.lockIdle / 1_000),
    });
    const backup: Gauge = new Gauge({
      name: 'statehouse_last_backup_timestamp_seconds',
      help: 'When the last backup was taken through the server, in seconds since 1970; 0 for never.',
      registers,
      collect: async () =>
        backup.set(
          await house.backups.last().then(
            (at) => (at ?? 0) / 1_000,
            () => Number.NaN,
          ),
        ),
    });
    const deliveries: Gauge<'what'> = new Gauge({
      name: 'statehouse_webhook_deliveries',
      help: 'Messages to webhooks of this node since its start: sent, failed and sent again, given up, dropped for want of room.',
      labelNames: ['what'],
      registers,
      collect: () => {
        const { sent, failed, givenUp, dropped } = house.webhooks.counts;
        for (const [what, count] of Object.entries({ sent, failed, 'given-up': givenUp, dropped }))
          deliveries.set({ what }, count);
      },
    });
    const lag: Gauge = new Gauge({
      name: 'statehouse_node_lag_seconds',
      help: 'How long ago the database took the last sign of life of this node; 0 with the embedded engine.',
      registers,
      collect: () => lag.set((house.lag ?? 0) / 1_000),
    });
    const skew: Gauge = new Gauge({
      name: 'statehouse_node_clock_skew_seconds',
      help: "How far this node's clock is ahead of the database's, negative if it is behind; 0 with the embedded engine.",
      registers,
      collect: () => skew.set(clock.skew / 1_000),
    });
  }

  /** What is executed, where anything is. */
  measureRuns(runs: MeasuredRuns): void {
    measureRuns(this.#registry, runs);
  }

  /** Takes what somebody else measures along. */
  add(metrics: readonly Metric[]): void {
    for (const metric of metrics) this.#registry.registerMetric(metric);
  }

  request(door: string, operation: string, status: number, seconds: number): void {
    this.#requests.observe({ door, operation, status: String(status) }, seconds);
  }

  undelivered(door: string, operation: string): void {
    this.#undelivered.inc({ door, operation });
  }

  /** The Prometheus text exposition. */
  async text(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}
