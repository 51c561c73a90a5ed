import { openHouse, type OpenHouse } from '../../src/server/open.ts';
import { DEFAULTS, type Configuration } from '../../src/server/configuration.ts';

export const ADMIN_ID = 'SHADMINADMINADMIN';
export const ADMIN_SECRET = 'abcdefghijklmnopqrstuvwxyz0123456789ABCD';

/** A whole house with an open port that keeps everything in memory, and an admin whose credential is known. */
export function openMemoryHouse(changes: Partial<Configuration> = {}): Promise<OpenHouse> {
  return openHouse({
    ...DEFAULTS,
    port: 0,
    store: { kind: 'memory' },
    logLevel: 'silent',
    adminCredential: `${ADMIN_ID}.${ADMIN_SECRET}`,
    shutdownMs: 1_000,
    ...changes,
  });
}

/** A small state. */
export function stateText(serial: number, output = 'v', lineage = 'lineage-1'): string {
  return `${JSON.stringify({
    version: 4,
    terraform_version: '1.11.4',
    serial,
    lineage,
    outputs: { greeting: { value: output, type: 'string' } },
    resources: [],
    check_results: null,
  })}\n`;
}
