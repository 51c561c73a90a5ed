import { formatAddress } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import { operationInWords } from '../../core/lock-words.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { Backups } from '../backups.ts';
import type { WebhookEvent, WebhookEventType } from './records.ts';

/** How often it is looked for what nobody does: a lock that stays, a credential that ends, a backup that is not taken. */
const LOOK_MS: Milliseconds = 30_000;
/** Locks that are looked at. */
const LOCKS_MAX = 1_000;
/** A credential that lasts no longer is made for one job, and its end is no news. */
const SHORT_LIFE: Milliseconds = 14 * 86_400_000;
const EXPIRY_NOTICE: Milliseconds = 7 * 86_400_000;

/** When something is worth an alarm. */
export interface AlarmSettings {
  /** A lock is stuck that is held for so many times its usual hold … */
  readonly stuckFactor: number;
  /** … and for so long at least. */
  readonly stuckFloor: Milliseconds;
  /** A backup is old after this time; 0 for never. */
  readonly backupMaxAge: Milliseconds;
}

type Tell = (event: WebhookEvent & { readonly type: WebhookEventType }) => Promise<void>;

/** Looks for what no request tells of. Every node looks; what it finds has the same id on each, so that it is told once. */
export class Lookout {
  readonly #engine: Pick<Engine, 'states' | 'credentials' | 'now'>;
  readonly #backups: Backups;
  readonly #settings: AlarmSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tell: Tell;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  /** @param options.tell asked for nothing while there are no webhooks */
  constructor(options: {
    engine: Pick<Engine, 'states' | 'credentials' | 'now'>;
    backups: Backups;
    settings: AlarmSettings;
    clock: Clock;
    log: Log;
    tell: Tell;
  }) {
    this.#engine = options.engine;
    this.#backups = options.backups;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#tell = options.tell;
  }

  /** @param isWanted whether anything that is found would be told to anybody */
  start(isWanted: () => Promise<boolean>): void {
    if (this.#isClosed) return;
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      void isWanted()
        .then((wanted) => (wanted ? this.look() : undefined))
        .catch((fault: unknown) =>
          this.#log.warn('what webhooks are told of could not be looked for; it is tried again', {
            fault: String(fault),
          }),
        )
        .finally(() => this.start(isWanted));
    });
  }

  async look(): Promise<void> {
    const now = await this.#engine.now();
    await this.#lookAtLocks(now);
    const credentials = await this.#engine.credentials();
    await this.#lookAtCredentials(now, credentials);
    // The first credential is as old as the server.
    await this.#lookAtBackups(now, Math.min(now, ...credentials.map(({ createdAt }) => createdAt)));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #lookAtLocks(now: Instant): Promise<void> {
    const { stuckFactor, stuckFloor } = this.#settings;
    const locked = await this.#engine.states({ locked: true, lines: true, limit: LOCKS_MAX });
    for (const { address, world } of locked) {
      const usual = world.record.typicalHold;
      const patience = Math.max(stuckFloor, stuckFactor * (usual ?? 0));
      for (const { subject, operation, since, fence } of world.holders) {
        const heldFor = now - since;
        if (heldFor <= patience) continue;
        const name = formatAddress(address);
        const usually = usual === null ? '' : `, usually ${formatDuration(usual)}`;
        const waiting = world.line.length;
        await this.#tell({
          id: `lock-stuck ${name} ${fence}`,
          type: 'lock-stuck',
          at: now,
          address: name,
          message: `The lock of ${name} may be stuck: ${subject} has held it for ${formatDuration(heldFor)}${usually}, and ${waiting} wait.`,
          facts: {
            subject,
            operation: operationInWords(operation),
            heldForSeconds: Math.round(heldFor / 1_000),
            usualHoldSeconds: usual === null ? null : Math.round(usual / 1_000),
            waiting,
          },
        });
      }
    }
  }

  async #lookAtCredentials(now: Instant, credentials: readonly Credential[]): Promise<void> {
    for (const { id, name, createdAt, expiresAt, revokedAt } of credentials) {
      if (expiresAt === null || revokedAt !== null || expiresAt <= now) continue;
      if (expiresAt - createdAt <= SHORT_LIFE || expiresAt - now > EXPIRY_NOTICE) continue;
      await this.#tell({
        id: `credential-expiring ${id} ${expiresAt}`,
        type: 'credential-expiring',
        at: now,
        address: null,
        message: `The credential ${name} expires in ${formatDuration(expiresAt - now)}.`,
        facts: { credential: name, expiresAt: new Date(expiresAt).toISOString() },
      });
    }
  }

  async #lookAtBackups(now: Instant, since: Instant): Promise<void> {
    const { backupMaxAge } = this.#settings;
    if (backupMaxAge === 0) return;
    const last = await this.#backups.last();
    if (now - (last ?? since) <= backupMaxAge) return;
    const message =
      last === null
        ? 'No backup was ever taken through the server: run "statehouse backup".'
        : `The last backup through the server is ${formatDuration(now - last)} old: run "statehouse backup".`;
    const lastBackupAt = last === null ? null : new Date(last).toISOString();
    const id = `backup-old ${last ?? 'never'}`;
    await this.#tell({ id, type: 'backup-old', at: now, address: null, message, facts: { lastBackupAt } });
  }
}
