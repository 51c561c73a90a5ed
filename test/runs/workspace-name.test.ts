import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import { workspaceId } from '../../src/protocols/hcp/layout.ts';
import { findOnPath } from '../support/find-program.ts';
import { findTerraform } from '../support/terraform.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningHouse, slugOf } from './running-house.ts';

const PROGRAMS = [
  ['terraform', await findTerraform()],
  ['tofu', await findOnPath('tofu')],
] as const;

/** Says with its own token what it may do at the door for `cloud`, of its workspace and of another. */
const ASK = `
const { credentials, host } = JSON.parse(require('node:fs').readFileSync(process.env.TF_CLI_CONFIG_FILE, 'utf8'));
const [{ token }] = Object.values(credentials);
const [{ services }] = Object.values(host);
const [own, other] = process.argv.slice(1);
const ask = (path, method = 'GET', body = undefined) =>
  fetch(services['tfe.v2'] + path, { method, body, headers: { authorization: 'Bearer ' + token, 'content-type': 'application/vnd.api+json' } });
const version = JSON.stringify({ data: { type: 'state-versions', attributes: { serial: 90, md5: '0'.repeat(32), lineage: 'l' } } });
(async () => {
  const seen = [];
  for (const id of [own, other]) {
    seen.push((await ask('workspaces/' + id)).status, (await ask('workspaces/' + id + '/vars')).status);
    seen.push((await ask('workspaces/' + id + '/state-versions', 'POST', version)).status);
    seen.push((await ask('workspaces/' + id + '/actions/force-unlock', 'POST')).status);
  }
  console.log('asked ' + seen.join(' '), 'token ' + token);
})();
`;

const mainOf = (own: string, other: string): string => `
resource "terraform_data" "a" {
  input = terraform.workspace
  provisioner "local-exec" {
    interpreter = [${JSON.stringify(process.execPath)}, "-e"]
    command     = <<-END
      process.argv.push(${JSON.stringify(own)}, ${JSON.stringify(other)});
      eval(require("node:fs").readFileSync("ask.js", "utf8"));
    END
  }
}
output "w" { value = terraform.workspace }
`;

describe.each(PROGRAMS.filter(([, found]) => found !== null))(
  'terraform.workspace in a run of %s (skipped unless it is on PATH)',
  (program) => {
    let house: RunningHouse;
    beforeAll(async () => {
      house = await RunningHouse.open();
    });
    afterAll(() => house[Symbol.asyncDispose]());

    it('is the name of a cloud block, by a token that reaches its own workspace and ends with the phase', async () => {
      const address: Address = { project: 'named', key: program, workspace: 'default' };
      const other: Address = { ...address, key: 'other' };
      await house.house.ask('POST', '/http/named/other', {
        body: JSON.stringify({ version: 4, serial: 1, lineage: 'l', outputs: {}, resources: [] }),
      });
      const main = mainOf(workspaceId(address), workspaceId(other));
      const slug = await slugOf({ 'main.tf': main, 'ask.js': ASK });
      const wanted = { program, version: null, workspaceName: address.key, autoApply: true };
      const { id } = await house.run(await house.configuration(slug, { address }), wanted);
      const ended = await house.until(id, 'applied', 'errored');
      const log = `${await house.log(id, 'plan')}\n${await house.log(id, 'apply')}`;
      expect(ended.status, log).toBe('applied');
      expect(log).toContain(`w = "${program}"`);
      // It may announce a state of its own workspace alone, and break no lock.
      expect(log).toMatch(/asked 200 \d{3} 201 403 403 403 403 403/);
      const state = await house.state(`/http/named/${program}`);
      expect(state).toMatchObject({ outputs: { w: { value: program } } });
      const shown = await house.house.house.locks.show(ADMIN_CALLER, address);
      expect(shown).toMatchObject({ lock: { holders: [] } });
      const [, token = ''] = /token (\S+)/.exec(log) ?? [];
      expect(token).toMatch(/^run-/);
      const late = await house.house.ask('GET', `/api/v2/workspaces/${workspaceId(address)}`, {
        as: null,
        headers: { authorization: `Bearer ${token}` },
      });
      expect(late.status).toBe(401);
      // What was applied once is looked at, and made again, under the same name.
      const again = await house.runs.createAgain(ADMIN_CALLER, address, {
        ...wanted,
        message: '',
        variables: [],
        destroy: false,
        refresh: true,
        refreshOnly: false,
        targets: [],
        replaces: [],
        generatesConfiguration: false,
      });
      if (again.type !== 'created') throw new Error(JSON.stringify(again));
      await house.until(again.run.id, 'planned_and_finished', 'errored');
      expect(await house.log(again.run.id, 'plan')).toMatch(/No changes/);
    });

    it('is that name where the server has a certificate of its own, which its programs cannot check', async () => {
      const path = await mkdtemp(join(tmpdir(), 'statehouse-named-'));
      try {
        const own = { store: { kind: 'directory', path }, tls: { kind: 'self-signed' } } as const;
        await using secure = await RunningHouse.open({}, own);
        const address: Address = { project: 'named', key: 'secure', workspace: 'default' };
        const slug = await slugOf({ 'main.tf': 'output "w" { value = terraform.workspace }' });
        const wanted = { program, version: null, workspaceName: 'secure', autoApply: true };
        const { id } = await secure.run(await secure.configuration(slug, { address }), wanted);
        const { status } = await secure.until(id, 'applied', 'errored');
        expect(status, await secure.log(id, 'plan')).toBe('applied');
        expect(await secure.log(id, 'apply')).toMatch(/w = "secure"/);
      } finally {
        await rm(path, { recursive: true });
      }
    });
  },
);
