import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { eightInOrder } from './fixtures/eight-applies.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { lockAt, resourceNames, resourcesAt, untilHeld, untilParked } from './fixtures/view.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'several terraforms on one state over http (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;

    beforeAll(async () => {
      house = await TestHouse.open();
    });

    afterAll(async () => {
      await house.close();
    });

    const folderAt = (path: string, main: string, lockQuery?: string): Promise<TerraformFolder> =>
      httpFolder(
        terraform!,
        { url: house.url, path, ...(lockQuery === undefined ? {} : { lockQuery }) },
        main,
      );

    it('refuses the second of two applies at once, and says who holds the lock', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/two', resource('alice', 'alice', gate.command));
      await using bob = await alice.copy();
      await bob.write('main.tf', resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, 'acme/two');

      const second = await bob.run('apply', '-auto-approve');
      expect(second.code).toBe(1);
      expect(second.output).toContain('Error acquiring the state lock');
      const id = holders[0]?.lockId;
      expect(second.output).toMatch(
        new RegExp(
          `^ID=${id}\nheld by token:admin\\S* \\(\\S+@\\S+, apply\\) for \\d+s\nsee ${house.url}/s/acme/two$`,
          'm',
        ),
      );
      expect(second.output).toContain('\n  statehouse force-unlock acme/two\n');
      expect(second.milliseconds).toBeLessThan(10_000);

      // The ID that is shown breaks nothing over http, where Terraform does not send it: a young lock stays.
      const broken = await bob.run('force-unlock', '-force', holders[0]?.lockId ?? '');
      expect(broken.code).toBe(1);
      expect(broken.output).toContain('Unexpected HTTP response code 425');
      expect((await lockAt(house, 'acme/two')).holders).toEqual(holders);

      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, 'acme/two')).toEqual(['alice']);
    });

    it('lets one with -lock-timeout wait, and both changes are kept', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/waits', resource('alice', 'alice', gate.command));
      await using bob = await alice.copy();
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await bob.write('main.tf', `${resource('alice', 'alice', 'true')}${resource('bob')}`);
      const second = bob.start(['apply', '-auto-approve', '-lock-timeout=2m']);
      await untilParked(house, 'acme/waits', 1);
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect(await second.end).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, 'acme/waits')).toEqual(['alice', 'bob']);
    });

    it('parks the very first request where the block says wait=5m', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/wait', resource('alice', 'alice', gate.command));
      await using bob = await folderAt('acme/wait', resource('bob'), 'wait=5m');
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const second = bob.start(['apply', '-auto-approve']);
      const { line } = await untilParked(house, 'acme/wait', 1);
      expect(line[0]).toMatchObject({ asks: 1 });
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect(await second.end).toMatchObject({ code: 0 });
    });

    it('lets eight at once all succeed, in the order of first asking', () =>
      eightInOrder(house, 'acme/eight', (path) => folderAt(path, '')));

    it('lets nothing be lost when two race with -lock=false', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/race', resource('before'));
      await alice.must('apply', '-auto-approve');
      await using bob = await alice.copy();
      await alice.write('main.tf', resource('alice', 'alice', gate.command));
      await bob.write('main.tf', resource('bob'));
      const late = alice.start(['apply', '-auto-approve', '-lock=false']);
      await gate.reached();
      expect(await bob.run('apply', '-auto-approve', '-lock=false')).toMatchObject({ code: 0 });
      await gate.open();
      const { code, output } = await late.end;
      expect(code).toBe(1);
      expect(output).toContain('Failed to persist state to backend');
      expect(await resourcesAt(house, 'acme/race')).toEqual(['bob']);
      expect(resourceNames((await alice.read('errored.tfstate')) ?? '')).toEqual(['alice']);
    });

    it('lets two plans go at once', async () => {
      await using slow = await SlowState.open();
      await using one = await folderAt('acme/plans', slow.reading);
      await using two = await one.copy();
      const plans = [one.start(['plan']), two.start(['plan'])];
      const { holders } = await untilHeld(house, 'acme/plans', 2);
      expect(holders.every(({ shared }) => shared)).toBe(true);
      slow.release();
      for (const plan of plans) expect(await plan.end).toMatchObject({ code: 0 });
      expect((await lockAt(house, 'acme/plans')).holders).toEqual([]);
    });

    it('makes an apply wait for a plan, and a later plan wait for that apply', async () => {
      await using slow = await SlowState.open();
      await using planner = await folderAt('acme/mixed', slow.reading);
      await using applier = await planner.copy();
      await using gate = await Gate.make();
      await applier.write('main.tf', resource('one', 'one', gate.command));
      await using late = await planner.copy();
      await late.write('main.tf', resource('one'));

      const plan = planner.start(['plan']);
      await untilHeld(house, 'acme/mixed', 1);
      const apply = applier.start(['apply', '-auto-approve', '-lock-timeout=2m']);
      await untilParked(house, 'acme/mixed', 1);
      const latePlan = late.start(['plan', '-lock-timeout=2m']);
      await untilParked(house, 'acme/mixed', 2);
      slow.release();
      expect(await plan.end).toMatchObject({ code: 0 });
      await gate.reached();
      expect((await lockAt(house, 'acme/mixed')).holders).toMatchObject([
        { operation: 'OperationTypeApply' },
      ]);
      expect(latePlan.running).toBe(true);
      await gate.open();
      expect(await apply.end).toMatchObject({ code: 0 });
      expect(await latePlan.end).toMatchObject({ code: 0 });
    });

    it('leaves no lock and no place behind when a waiter is told to stop by Ctrl-C', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/ctrl-c', resource('alice', 'alice', gate.command));
      await using bob = await alice.copy();
      await bob.write('main.tf', resource('bob'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const second = bob.start(['apply', '-auto-approve', '-lock-timeout=5m']);
      await untilParked(house, 'acme/ctrl-c', 1);
      second.signal('SIGINT');
      await eventually('terraform hears it', () => /nterrupt/.test(second.output));
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect((await second.end).code).toBe(1);
      expect(await lockAt(house, 'acme/ctrl-c')).toMatchObject({ holders: [], line: [] });
      expect(await resourcesAt(house, 'acme/ctrl-c')).toEqual(['alice']);
    });

    it('takes a waiter that was killed out of the line, and serves the next', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/killed', resource('alice', 'alice', gate.command));
      await using bob = await folderAt('acme/killed', resource('bob'), 'wait=5m');
      await using carol = await bob.copy();
      await carol.write('main.tf', resource('carol'));
      const first = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const killed = bob.start(['apply', '-auto-approve']);
      await untilParked(house, 'acme/killed', 1);
      const next = carol.start(['apply', '-auto-approve']);
      await untilParked(house, 'acme/killed', 2);
      killed.signal('SIGKILL');
      await untilParked(house, 'acme/killed', 1);
      await gate.open();
      expect(await first.end).toMatchObject({ code: 0 });
      expect(await next.end).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, 'acme/killed')).toEqual(['carol']);
      expect(await lockAt(house, 'acme/killed')).toMatchObject({ holders: [], line: [] });
    });
  },
);

/** Another team's state, which takes its time: a plan that reads it holds its lock meanwhile. */
class SlowState implements AsyncDisposable {
  readonly #server: Server;
  readonly #waiting: ServerResponse[] = [];
  #released = false;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (_request, response: ServerResponse) => {
      if (this.#released) answer(response);
      else this.#waiting.push(response);
    });
  }

  static async open(): Promise<SlowState> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SlowState(server);
  }

  /** A configuration that reads it. */
  get reading(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `data "terraform_remote_state" "slow" {
  backend = "http"
  config = { address = "http://127.0.0.1:${port}/" }
}
`;
  }

  release(): void {
    this.#released = true;
    for (const response of this.#waiting) answer(response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function answer(response: ServerResponse): void {
  response.end(
    '{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"slow","outputs":{},"resources":[],"check_results":null}\n',
  );
}
