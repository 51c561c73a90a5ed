import { readFileSync } from 'node:fs';
import { request as send } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { giveBackWhenIdle } from '../../src/server/spare-memory.ts';
import { HouseProcess } from '../support/house-process.ts';
import { eventually } from '../support/eventually.ts';
import { ask, basic } from '../support/request.ts';
import { sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';

const MEGABYTE = 1_048_576;

describe('memory that a crowd has left', () => {
  it('is given back once the server rests, and again only when much has come to it', async () => {
    const clock = new ManualClock();
    let busy = true;
    let resident = 900;
    let given = 0;
    const end = giveBackWhenIdle(clock, () => busy, {
      resident: () => resident * MEGABYTE,
      giveBack: async () => {
        given += 1;
        resident = 300;
      },
    });
    const pass = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1_000);
        await new Promise(setImmediate);
      }
    };
    await pass(60);
    expect(given).toBe(0);
    busy = false;
    await pass(30);
    expect(given).toBe(1);
    resident = 400;
    await pass(60);
    expect(given).toBe(1);
    resident = 500;
    await pass(60);
    expect(given).toBe(2);
    end();
    resident = 900;
    await pass(60);
    expect(given).toBe(2);
  });
});

describe.runIf(process.platform === 'linux')('a crowd that uploads large states', () => {
  it('is answered in full, or told to come again before its bodies are read; small writes go on, and memory is given back', async () => {
    await using house = await HouseProcess.start();
    const body = sampleState(1, { size: 10 * MEGABYTE });
    const ongoing = { isOver: false };
    const uploads = Promise.all(
      Array.from({ length: 16 }, (_, index) => upload(`${house.url}/http/crowd/large-${index}`, body)),
    ).finally(() => (ongoing.isOver = true));
    let slowest = 0;
    for (let index = 0; !ongoing.isOver; index += 1) {
      const began = performance.now();
      const path = `/http/crowd/small-${index}`;
      expect((await ask(house.url, 'POST', path, { body: sampleState(1) })).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - began);
    }
    expect(slowest).toBeLessThan(10_000);
    const answers = await uploads;
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(10);
    expect(
      answers.filter(({ status, again }) => status !== 200 && (status !== 503 || again === undefined)),
    ).toEqual([]);
    // Once they are in the index, too.
    await eventually('memory is given back', () => residentMegabytes(house.pid) < 256, 110_000);
  }, 150_000);
});

/** Sends a state whole, and hears an answer that comes before that is done. */
function upload(url: string, body: string): Promise<{ status: number; again: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: basic(TEST_ADMIN), 'content-length': String(Buffer.byteLength(body)) };
    const request = send(url, { method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, again: response.headers['retry-after'] });
    });
    request.once('error', reject);
    request.end(body);
  });
}

function residentMegabytes(pid: number): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}
