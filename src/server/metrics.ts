import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AuditDevices } from './audit-devices/devices.ts';
import type { House } from '../house/house.ts';
import type { LockFigures } from '../house/locks/lock-figures.ts';

/** Durations from a commit without a wait to a parked request's hour. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];

const UNKNOWN: LockFigures = { held: Number.NaN, oldest: Number.NaN, parked: Number.NaN, away: Number.NaN };

/** What the house counts. Labels are names from tables, never what a client sent. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'door' | 'operation' | 'status'>;
  readonly #undelivered: Counter<'door' | 'operation'>;
  readonly #outcomes: Counter<'command' | 'outcome'>;
  readonly #handovers: Counter;

  constructor(
    house: Pick<House, 'parked' | 'inFlightBytes' | 'seals' | 'listen' | 'lockFigures'>,
    certificate: { readonly ends: number } | null = null,
    devices: Pick<AuditDevices, 'standings'> | null = null,
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
      help: 'States that are locked (held), and who waits for them: parked, or away between two requests. Of the whole house, up to 1,000 locked states.',
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
