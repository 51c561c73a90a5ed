import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVED_BACKENDS } from '../../src/protocols/backends.ts';
import { HouseProcess } from '../support/house-process.ts';
import { ask } from '../support/request.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { Gate } from './fixtures/gate.ts';
import { httpLogin, resource } from './fixtures/http-folder.ts';
import { addressAt } from './fixtures/view.ts';

const terraform = await findTerraform();
const AWAY_MS = 9_000;

describe.skipIf(terraform === null)(
  'a server that is started anew during an apply (skipped unless terraform is on PATH)',
  () => {
    let house: HouseProcess;

    beforeAll(async () => {
      house = await HouseProcess.start();
    });
    afterAll(async () => {
      await house[Symbol.asyncDispose]();
    });

    it('gets the state, because the block that is printed says to ask again', async () => {
      const http = SERVED_BACKENDS.find(({ name }) => name === 'http');
      const printed = http!.snippet({
        url: house.url,
        address: addressAt('acme/restart'),
        credential: TEST_ADMIN,
        caPath: null,
        variables: false,
      });
      await using gate = await Gate.make();
      await using folder = await TerraformFolder.make(terraform!, {
        files: { 'main.tf': `${printed.block}\n${resource('kept', 'kept', gate.command)}` },
        env: httpLogin(TEST_ADMIN),
      });
      await folder.must('init');
      const apply = folder.start(['apply', '-auto-approve']);
      await gate.reached();
      await house.kill();
      await gate.open();
      await sleep(AWAY_MS);
      expect(apply.running, apply.output).toBe(true);
      await house.launch();
      const { code, output } = await apply.end;
      expect(code, output).toBe(0);
      expect(await folder.read('errored.tfstate')).toBeNull();
      expect((await ask(house.url, 'GET', '/http/acme/restart')).text).toContain('"kept"');
      expect((await ask(house.url, 'GET', '/http/acme/restart?lock')).status).toBe(404);
    });
  },
);
