import { EngineFault } from '../../ports/engine.ts';
import type { AuditLine, AuditSink } from '../../ports/audit-sink.ts';
import type { Log } from '../../ports/log.ts';
import { lineOf } from './line.ts';
import { SEND_MS, type AuditDevice } from './device.ts';
import { DeviceQueue } from './device-queue.ts';

/** How one device stands, for metrics. */
export interface DeviceStanding {
  readonly name: string;
  readonly taken: number;
  readonly dropped: number;
  readonly waiting: number;
}

/** All devices together: each is sent every record, on its own. */
export class AuditDevices implements AuditSink {
  readonly #queues: readonly DeviceQueue[];
  readonly #required: boolean;
  readonly #waiters = new Set<() => void>();
  readonly #hangUp: () => void;
  #number = 0;

  /** @param required whether nothing may be answered whose record no device has taken */
  constructor(devices: readonly AuditDevice[], { required, log }: { required: boolean; log: Log }) {
    const progress = (): void => {
      for (const look of this.#waiters) look();
    };
    this.#queues = devices.map((device) => new DeviceQueue(device, { log, progress }));
    this.#required = required;
    this.#hangUp = () => {
      for (const { device } of this.#queues) void device.reopen();
    };
    // What logrotate sends after it has moved a file away.
    process.on('SIGHUP', this.#hangUp);
  }

  get standings(): readonly DeviceStanding[] {
    return this.#queues.map(({ device: { name }, taken, dropped, waiting }) => ({
      name,
      taken,
      dropped,
      waiting,
    }));
  }

  write(line: AuditLine): void {
    this.#number += 1;
    const text = lineOf(line);
    for (const queue of this.#queues) queue.push(this.#number, text);
  }

  admit(): void {
    if (this.#required && this.#queues.every(({ failing }) => failing)) throw notTaken();
  }

  async accepted(): Promise<void> {
    const number = this.#number;
    if (!this.#required || number === 0 || this.#has(number)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#waiters.delete(look);
        end();
      };
      const look = (): void => {
        if (this.#has(number)) settle(resolve);
        else if (this.#queues.every(({ failing }) => failing)) settle(() => reject(notTaken()));
      };
      const timer = setTimeout(() => settle(() => reject(notTaken())), SEND_MS);
      this.#waiters.add(look);
    });
  }

  async close(): Promise<void> {
    process.off('SIGHUP', this.#hangUp);
    await Promise.all(this.#queues.map((queue) => queue.close()));
  }

  #has(number: number): boolean {
    return this.#queues.some((queue) => queue.has(number));
  }
}

function notTaken(): EngineFault {
  return new EngineFault('the audit log is required, and no audit device takes records', { busy: true });
}
