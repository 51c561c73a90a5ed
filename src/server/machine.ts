import { statfs } from 'node:fs/promises';
import type { Certificate } from './certificate.ts';
import type { Configuration } from './configuration.ts';

/** What there is to know of the machine that the server runs on. */
export interface Machine {
  /** When the TLS certificate ends, in milliseconds since 1970; null without TLS. */
  readonly certificateEnds: () => number | null;
  /** Bytes of the disk that the data is on; null where it is elsewhere, or where the system does not tell. */
  readonly disk: () => Promise<{ readonly free: number; readonly total: number } | null>;
}

export function machineOf(
  { store }: Pick<Configuration, 'store'>,
  certificate: Pick<Certificate, 'ends'> | null,
): Machine {
  return {
    certificateEnds: () => certificate?.ends ?? null,
    async disk() {
      if (store.kind !== 'directory') return null;
      const stats = await statfs(store.path).catch(() => null);
      if (stats === null) return null;
      return { free: stats.bavail * stats.bsize, total: stats.blocks * stats.bsize };
    },
  };
}
