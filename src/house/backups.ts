import { z } from 'zod';
import type { Instant } from '../core/instant.ts';
import type { Engine } from '../ports/engine.ts';
import { defineRecords, type RecordDefinition } from './records/define.ts';
import { BACKUP_KIND } from './records/kinds.ts';
import type { Records } from './records/records.ts';

interface LastBackup {
  readonly at: Instant;
}

/** The last backup, under one name. */
export const BACKUPS: RecordDefinition<LastBackup> = defineRecords<LastBackup>(
  BACKUP_KIND,
  z.object({ at: z.number() }),
);
const LAST = 'last';

/** When a backup was last taken through the server, on whatever node and before whatever restart. */
export class Backups {
  readonly #records: Records<LastBackup>;
  readonly #engine: Pick<Engine, 'now'>;

  constructor(records: Records<LastBackup>, engine: Pick<Engine, 'now'>) {
    this.#records = records;
    this.#engine = engine;
  }

  /** Keeps that one was taken just now. */
  async taken(): Promise<void> {
    await this.#records.put(null, LAST, { at: await this.#engine.now() });
  }

  /** null where none ever was. */
  async last(): Promise<Instant | null> {
    return (await this.#records.find(LAST))?.at ?? null;
  }
}
