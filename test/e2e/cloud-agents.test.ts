import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../src/server/configuration.ts';
import { runStatehouse } from '../cli/run-statehouse.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { CloudConfigs, cloudFolder } from './fixtures/cloud-folder.ts';
import { lockAt, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'terraform with cloud where an agent executes (skipped unless terraform is on PATH)',
  () => {
    let house: TestHouse;
    let configs: CloudConfigs;

    beforeAll(async () => {
      house = await TestHouse.open({ runs: { ...DEFAULTS.runs, mode: 'agents' } });
      configs = await CloudConfigs.make();
    });
    afterAll(async () => {
      await house.close();
      await configs[Symbol.asyncDispose]();
    });

    const statehouse = async (...words: readonly string[]): Promise<string> => {
      const { url } = house;
      const env = { STATEHOUSE_SERVER: url, STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` };
      const { code, out, err } = await runStatehouse(words, { env });
      expect([code, err]).toEqual([0, expect.any(String)]);
      return out;
    };

    it('plans, applies and destroys there, and sees nothing of what the agent is given', async () => {
      const made = await statehouse('agent-pool', 'create', 'acme', 'office', '--json');
      const { token } = JSON.parse(made) as { readonly token: string };
      expect(await statehouse('run', 'mode', 'acme/net', 'agent', '--pool', 'office')).toMatch(
        /^agent apool-/,
      );
      const main =
        'resource "terraform_data" "one" {\n  provisioner "local-exec" { command = "env | sort" }\n}\noutput "said" {\n  value = "hello"\n}\n';
      const place = { url: house.url, organization: 'acme', workspaces: 'name = "net"' };
      await using folder = await cloudFolder(terraform!, configs, place, main);
      await using agent = await AgentProcess.start(house.url, token);
      expect(await folder.must('plan')).toMatch(/Plan: 1 to add/);
      const applied = await folder.must('apply', '-auto-approve');
      expect(applied).toMatch(/TFC_WORKSPACE_NAME=net[^]*Apply complete! Resources: 1 added/);
      expect(applied).not.toMatch(/not-for-runs|STATEHOUSE_|at-[1-9A-Za-z]{16}/);
      expect(await resourcesAt(house, 'acme/net')).toEqual(['one']);
      expect(await folder.must('output', '-raw', 'said')).toBe('hello');
      expect(await statehouse('agent-pool', 'show', 'acme', 'office')).toMatch(/terraform \d+\.\d+\.\d+/);
      expect(await folder.must('destroy', '-auto-approve')).toMatch(/1 destroyed/);
      expect((await lockAt(house, 'acme/net')).holders).toEqual([]);
      expect(await agent.kill('SIGTERM')).toMatchObject({ code: 0 });
    });
  },
);
