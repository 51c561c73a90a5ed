import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { ask } from '../support/request.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';
import { Gate } from './fixtures/gate.ts';
import { httpFolder, httpLogin, resource } from './fixtures/http-folder.ts';
import { lockAt, resourceNames, resourcesAt, untilHeld } from './fixtures/view.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'terraform and what can happen to it in the middle of an apply (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;

    beforeAll(async () => {
      house = await TestHouse.open({ breakGuard: 0 });
    });

    afterAll(async () => {
      await house.close();
    });

    const folderAt = (path: string, main: string, as: Pair = TEST_ADMIN): Promise<TerraformFolder> =>
      httpFolder(terraform!, { url: house.url, path, as }, main);

    it('killed: its lock stays until it is broken, and its late write is refused', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/killed', resource('before'));
      await alice.must('apply', '-auto-approve');
      const before = await house.ask('GET', '/http/acme/killed');
      await alice.write('main.tf', resource('alice', 'alice', gate.command));
      const killed = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, 'acme/killed');
      const lockId = holders[0]?.lockId ?? '';
      killed.signal('SIGKILL');
      await gate.open();
      await killed.end;

      await using bob = await folderAt('acme/killed', `${resource('before')}${resource('bob')}`);
      expect((await bob.run('apply', '-auto-approve')).output).toContain('Error acquiring the state lock');
      expect(await bob.must('force-unlock', '-force', lockId)).toContain('successfully unlocked');
      await bob.must('apply', '-auto-approve');

      const zombie = before.text.replace('"serial": 1', '"serial": 7');
      const late = await house.ask('POST', `/http/acme/killed?ID=${lockId}`, { body: zombie });
      expect(late.status).toBe(409);
      expect(late.text).toContain('no longer held');
      expect(await resourcesAt(house, 'acme/killed')).toEqual(['before', 'bob']);
      const audit = await house.house.audit.read(ADMIN_CALLER, { action: 'force-unlock', limit: 1 });
      expect(audit).toMatchObject({ type: 'records', records: [{ note: { detail: { lock: lockId } } }] });
    });

    it('refuses a force-unlock to those who may not, and says what to do; an operator may', async () => {
      const writer = await house.credential('crash-writer', [{ role: 'writer', pattern: 'acme/*' }]);
      const operator = await house.credential('crash-operator', [{ role: 'operator', pattern: 'acme/*' }]);
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/operator', resource('alice', 'alice', gate.command));
      const killed = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, 'acme/operator');
      const lockId = holders[0]?.lockId ?? '';
      killed.signal('SIGKILL');
      await gate.open();

      await using bob = await folderAt('acme/operator', '', writer);
      const refused = await bob.run('force-unlock', '-force', lockId);
      expect(refused.code).toBe(1);
      expect((await lockAt(house, 'acme/operator')).holders).toHaveLength(1);
      const wrong = await house.ask('UNLOCK', '/http/acme/operator', {
        body: '{"ID":"another"}',
        as: operator,
      });
      expect(wrong.status).toBe(409);
      expect(wrong.text).toContain(lockId);
      const named = `/http/acme/operator?lock&ID=${lockId}`;
      expect((await house.ask('DELETE', named, { as: writer })).status).toBeGreaterThanOrEqual(400);
      expect((await house.ask('DELETE', named, { as: operator })).status).toBe(200);
      expect((await lockAt(house, 'acme/operator')).holders).toEqual([]);
    });

    it('paused until its lock was broken: what it writes late is refused, and it keeps it in errored.tfstate', async () => {
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/paused', resource('before'));
      await alice.must('apply', '-auto-approve');
      await using bob = await alice.copy();
      await alice.write('main.tf', `${resource('before')}${resource('alice', 'alice', gate.command)}`);
      const paused = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      const { holders } = await untilHeld(house, 'acme/paused');
      paused.signal('SIGSTOP');
      await gate.open();
      await bob.must('force-unlock', '-force', holders[0]?.lockId ?? '');
      await bob.write('main.tf', `${resource('before')}${resource('bob')}`);
      await bob.must('apply', '-auto-approve');
      paused.signal('SIGCONT');
      const { code, output } = await paused.end;
      expect(code).toBe(1);
      expect(output).toContain('Failed to persist state to backend');
      expect(await resourcesAt(house, 'acme/paused')).toEqual(['before', 'bob']);
      expect(resourceNames((await alice.read('errored.tfstate')) ?? '')).toEqual(['alice', 'before']);
    });

    it('run out of its credential: it still brings its state home, and nothing more', async () => {
      const brief = await house.credential(
        'brief',
        [{ role: 'writer', pattern: 'acme/*' }],
        Date.now() + 2_000,
      );
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/expired', resource('alice', 'alice', gate.command), brief);
      const apply = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await eventually('the credential expires', async () => {
        const { status } = await house.ask('GET', '/http/acme/elsewhere', { as: brief });
        return status === 401;
      });
      await gate.open();
      expect(await apply.end).toMatchObject({ code: 0 });
      expect(await resourcesAt(house, 'acme/expired')).toEqual(['alice']);
      expect((await lockAt(house, 'acme/expired')).holders).toEqual([]);
      expect((await alice.run('plan')).code).toBe(1);
    });

    it('robbed of its credential: nothing more is taken from it, and errored.tfstate brings the state home', async () => {
      const revoked = await house.credential('revoked', [{ role: 'writer', pattern: 'acme/*' }]);
      await using gate = await Gate.make();
      await using alice = await folderAt('acme/revoked', resource('alice', 'alice', gate.command), revoked);
      const apply = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await house.house.credentials.revoke(ADMIN_CALLER, revoked.id);
      await gate.open();
      expect((await apply.end).code).toBe(1);
      expect(await resourcesAt(house, 'acme/revoked')).toBe(null);
      const { holders } = await lockAt(house, 'acme/revoked');
      expect(holders).toHaveLength(1);

      await using admin = await alice.copy(httpLogin(TEST_ADMIN));
      await admin.must('force-unlock', '-force', holders[0]?.lockId ?? '');
      await admin.must('state', 'push', 'errored.tfstate');
      expect(await resourcesAt(house, 'acme/revoked')).toEqual(['alice']);
    });
  },
);

describe.skipIf(terraform === null)(
  'terraform while the house dies in the middle of an apply (skipped unless terraform is on PATH)',
  () => {
    const resourcesIn = async ({ url }: HouseProcess, path: string): Promise<readonly string[]> =>
      resourceNames((await ask(url, 'GET', `/http/${path}`)).text);

    it('brings its state home by its own retries when the house is back soon', async () => {
      await using house = await HouseProcess.start();
      await using gate = await Gate.make();
      const place = { url: house.url, path: 'acme/back' };
      await using alice = await httpFolder(terraform!, place, resource('alice', 'alice', gate.command));
      const apply = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await house.kill();
      await gate.open();
      await sleep(200);
      await house.launch();
      const { code, output } = await apply.end;
      expect(output).toContain('Apply complete');
      expect(code).toBe(0);
      expect(await resourcesIn(house, 'acme/back')).toEqual(['alice']);
      expect((await ask(house.url, 'GET', '/http/acme/back?lock')).status).toBe(404);
    });

    it('keeps it in errored.tfstate when the house stays away, and a push brings it home', async () => {
      await using house = await HouseProcess.start();
      await using gate = await Gate.make();
      const place = { url: house.url, path: 'acme/away' };
      await using alice = await httpFolder(terraform!, place, resource('alice', 'alice', gate.command));
      const apply = alice.start(['apply', '-auto-approve']);
      await gate.reached();
      await house.kill();
      await gate.open();
      expect((await apply.end).code).toBe(1);
      await house.launch();
      const held = await ask(house.url, 'GET', '/http/acme/away?lock');
      const { ID } = JSON.parse(held.text) as { ID: string };
      expect((await alice.run('state', 'push', 'errored.tfstate')).output).toContain(ID);
      await alice.must('force-unlock', '-force', ID);
      await alice.must('state', 'push', 'errored.tfstate');
      expect(await resourcesIn(house, 'acme/away')).toEqual(['alice']);
    });
  },
);
