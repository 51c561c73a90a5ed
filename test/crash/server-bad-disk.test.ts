import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { sampleState } from '../support/sample-state.ts';
import { newDirectory } from '../engines/sqlite-fixture.ts';
import { hasCompiler, recorded } from './power-cut/recorder.ts';

const WRITERS = 6;

const canRecord = hasCompiler();
if (!canRecord) console.log('no C compiler here: what a bad disk does to the house is not tried');

/** What a client knows of its state: the serial that was answered last, and the one that it sent last. */
interface Known {
  readonly path: string;
  kept: number;
  sent: number;
  /** What it was told at the end; null when the connection broke. */
  refusal: number | null;
}

/** Writes one serial after another until it is not answered as before. */
async function writeOn(url: string, known: Known): Promise<void> {
  for (;;) {
    known.sent += 1;
    const body = sampleState(known.sent, { said: known.path });
    const answer = await ask(url, 'POST', known.path, { body }).catch(() => null);
    if (answer?.status !== 200) {
      known.refusal = answer?.status ?? null;
      return;
    }
    known.kept = known.sent;
  }
}

describe.runIf(canRecord)('a house', () => {
  it.each([
    ['whose disk is full', { FULL_AFTER: '400' }],
    ['whose disk fails in a flush', { FAILING_FLUSH: '60' }],
  ])('%s stops, says why, and has all that it answered when it is started again', async (_, trouble) => {
    const { directory, remove } = await newDirectory();
    const data = join(directory, 'data');
    const env = { ...(await recorded(directory, join(directory, 'recording'))), ...trouble };
    const known: Known[] = Array.from({ length: WRITERS }, (_, index) => ({
      path: `/http/disk/state-${index}`,
      kept: 0,
      sent: 0,
      refusal: null,
    }));
    {
      await using house = await HouseProcess.start({ directory: data, env });
      await Promise.all(known.map((each) => writeOn(house.url, each)));
      const { pid } = house;
      await eventually('the house ends by itself', () => !isRunning(pid));
      expect(house.output).toContain('The server stops, because it can no longer store data safely');
      expect((await house.stop())?.code).toBe(1);
    }
    expect(known.filter(({ refusal }) => refusal !== null && refusal < 500)).toEqual([]);
    expect(known.reduce((sum, { kept }) => sum + kept, 0)).toBeGreaterThan(20);

    await using house = await HouseProcess.start({ directory: data });
    for (const { path, kept, sent } of known) {
      const answer = await ask(house.url, 'GET', path);
      const possible = [kept, sent].map((serial) => sampleState(serial, { said: path }));
      if (kept > 0 || answer.status === 200) expect(possible).toContain(answer.text);
      const next = await ask(house.url, 'POST', path, { body: sampleState(sent + 1, { said: path }) });
      expect(next.status).toBe(200);
    }
    await house.stop();
    await remove();
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
