import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { RemoteLog } from '../../src/runs/agents/remote-log.ts';

const HOUR = 3_600_000;

describe('the log that an agent sends', () => {
  const sending = (): { clock: ManualClock; log: RemoteLog; sent: string[] } => {
    const clock = new ManualClock();
    const sent: string[] = [];
    const link = {
      log: async (offset: number, bytes: Uint8Array): Promise<number> => {
        sent.push(Buffer.from(bytes).toString());
        return offset + bytes.length;
      },
    };
    return { clock, log: new RemoteLog(link, clock, 0), sent };
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('goes at once after a silence, however old it is', async () => {
    const { clock, log, sent } = sending();
    clock.advance(HOUR);
    log.write('Still creating...\n');
    clock.advance(100);
    await settled();
    expect(sent).toEqual(['Still creating...\n']);
  });

  it('goes in few pieces where much is said for long', async () => {
    const { clock, log, sent } = sending();
    clock.advance(HOUR);
    for (let second = 0; second < 60; second += 1) {
      log.write(`${second}\n`);
      clock.advance(1_000);
      await settled();
    }
    await log.end();
    expect(sent.length).toBeLessThan(10);
    expect(sent.join('')).toBe(Array.from({ length: 60 }, (_, second) => `${second}\n`).join(''));
  });
});
