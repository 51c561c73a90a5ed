import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { Gate } from '../../src/house/gate.ts';
import { SharedClock } from '../../src/server/shared-clock.ts';
import { HealthDoor } from '../../src/server/health.ts';
import { Metrics } from '../../src/server/metrics.ts';
import type { DoorRequest } from '../../src/protocols/door.ts';
import type { House } from '../../src/house/house.ts';
import { quietHouse } from '../support/quiet-house.ts';

const HOUR = 3_600_000;
const READYZ = { path: '/readyz', header: () => undefined } as unknown as DoorRequest;

/** A machine and a database whose clocks differ. */
class Machine {
  readonly clock: ManualClock = new ManualClock();
  readonly warnings: string[] = [];
  /** How far the machine's clock is ahead. */
  ahead: number;
  isAway = false;

  constructor(ahead: number) {
    this.ahead = ahead;
  }

  open(shared = true): Promise<SharedClock> {
    const quiet = (): void => undefined;
    return SharedClock.start({
      clock: this.clock,
      engine: {
        traits: { name: 'shared', shared },
        now: async () => {
          if (this.isAway) throw new Error('the database is away');
          return this.clock.now() - this.ahead;
        },
      },
      log: { debug: quiet, info: quiet, warn: (message) => void this.warnings.push(message), error: quiet },
    });
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.clock.advance(1_000);
      await new Promise(setImmediate);
    }
  }
}

describe('the time of a node', () => {
  it.each([3 * HOUR, -3 * HOUR])(
    'is the time of the database, whatever its own clock says (%i ms off)',
    async (ahead) => {
      const machine = new Machine(ahead);
      using clock = await machine.open();
      const there = machine.clock.now() - ahead;
      expect(clock.now()).toBe(there);
      const gate = new Gate({
        engine: { world: () => Promise.reject(new Error('not asked')) },
        clock,
        credentials: { isOvertaken: () => false, look: async () => undefined, watch: () => () => undefined },
      });
      const until = (at: number): Parameters<Gate['known']>[0] => ({
        subject: 'token:ci',
        grants: [],
        expiry: { at, graceUntil: at },
      });
      expect(gate.known(until(there + HOUR))).toBeNull();
      expect(gate.known(until(there - HOUR))).toMatchObject({ type: 'expired' });
    },
  );

  it('is measured again and again, and goes on while the database is away', async () => {
    const machine = new Machine(0);
    using clock = await machine.open();
    machine.ahead = 50_000;
    await machine.pass(11);
    expect(clock.skew).toBe(50_000);
    machine.isAway = true;
    machine.ahead = 0;
    await machine.pass(30);
    expect(clock.now()).toBe(machine.clock.now() - 50_000);
    machine.isAway = false;
    await machine.pass(11);
    expect(clock.skew).toBe(0);
    expect(machine.warnings).toHaveLength(1);
  });

  it("is the machine's where no other node is", async () => {
    const machine = new Machine(HOUR);
    using clock = await machine.open(false);
    expect([clock.now(), clock.skew]).toEqual([machine.clock.now(), 0]);
  });

  it('that is more than 30 seconds off is told: by /readyz, by a metric and in the log, once', async () => {
    const machine = new Machine(45_000);
    using clock = await machine.open();
    await machine.pass(60);
    expect(machine.warnings).toHaveLength(1);
    const metrics = new Metrics(quietHouse(), null, null, clock);
    expect((await metrics.text()).body).toContain('statehouse_node_clock_skew_seconds 45');
    const house = { check: async () => undefined } as unknown as House;
    const door = new HealthDoor({
      bodies: null,
      house,
      metrics,
      closing: new AbortController().signal,
      clock,
    });
    const { status, body } = await door.answer(READYZ);
    expect([status, String(body)]).toEqual([
      200,
      "ready; the clock of this node is 45 s ahead of the database's\n",
    ]);
  });
});
