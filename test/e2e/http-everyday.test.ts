import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { httpBackend, httpFolder, httpLogin, resource } from './fixtures/http-folder.ts';
import { addressAt, lockAt, resourceNames, resourcesAt } from './fixtures/view.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('terraform over http (skipped unless terraform is on PATH)', () => {
  let house: TestHouse;

  beforeAll(async () => {
    house = await TestHouse.open();
  });

  afterAll(async () => {
    await house.close();
  });

  const folderAt = (path: string, main: string): Promise<TerraformFolder> =>
    httpFolder(terraform!, { url: house.url, path }, main);

  it('plans, applies, shows outputs, refreshes and destroys', async () => {
    const main = `${resource('one')}\noutput "said" {\n  value = terraform_data.one.output\n}\n`;
    await using folder = await folderAt('acme/life', main);
    expect(await folder.must('plan')).toContain('1 to add');
    expect(await resourcesAt(house, 'acme/life')).toBe(null);

    expect(await folder.must('apply', '-auto-approve')).toContain('1 added');
    expect(await resourcesAt(house, 'acme/life')).toEqual(['one']);
    expect((await folder.must('output', '-raw', 'said')).trim()).toBe('one');
    expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');

    await folder.write('main.tf', `${main}${resource('two')}`);
    await folder.must('plan', '-out=saved');
    expect(await folder.must('apply', 'saved')).toContain('1 added');
    await folder.must('refresh');
    expect(await resourcesAt(house, 'acme/life')).toEqual(['one', 'two']);

    expect(await folder.must('destroy', '-auto-approve')).toContain('2 destroyed');
    expect(await resourcesAt(house, 'acme/life')).toEqual([]);
    const view = await lockAt(house, 'acme/life');
    expect(view).toMatchObject({ holders: [], line: [] });
  });

  it('pulls, moves, removes and pushes, and keeps every version', async () => {
    await using folder = await folderAt('acme/surgery', `${resource('one')}${resource('two')}`);
    await folder.must('apply', '-auto-approve');
    const pulled = await folder.must('state', 'pull');
    expect(resourceNames(pulled)).toEqual(['one', 'two']);

    await folder.must('state', 'mv', 'terraform_data.one', 'terraform_data.uno');
    await folder.must('state', 'rm', 'terraform_data.two');
    expect(await resourcesAt(house, 'acme/surgery')).toEqual(['uno']);

    await folder.write('old.tfstate', pulled);
    const refused = await folder.run('state', 'push', 'old.tfstate');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('cannot import state with serial');
    await folder.must('state', 'push', '-force', 'old.tfstate');
    expect(await resourcesAt(house, 'acme/surgery')).toEqual(['one', 'two']);

    const answer = await house.house.history.versions(ADMIN_CALLER, addressAt('acme/surgery'), {
      limit: 10,
    });
    if (answer.type !== 'versions') throw new Error('the admin may not see versions');
    expect(answer.versions.map(({ number, operation, forced }) => ({ number, operation, forced }))).toEqual([
      { number: 4, operation: 'state-push', forced: true },
      { number: 3, operation: 'state-rm', forced: false },
      { number: 2, operation: 'state-mv', forced: false },
      { number: 1, operation: 'OperationTypeApply', forced: false },
    ]);
  });

  it('lets a forced push bring a state of another lineage, and refuses it unforced', async () => {
    await using mine = await folderAt('acme/lineage', resource('mine'));
    await mine.must('apply', '-auto-approve');
    await using theirs = await folderAt('acme/other-lineage', resource('theirs'));
    await theirs.must('apply', '-auto-approve');
    await mine.write('theirs.tfstate', await theirs.must('state', 'pull'));
    expect((await mine.run('state', 'push', 'theirs.tfstate')).output).toContain('unrelated state');
    await mine.must('state', 'push', '-force', 'theirs.tfstate');
    expect(await resourcesAt(house, 'acme/lineage')).toEqual(['theirs']);
  });

  it('takes over a local state by init -migrate-state, and gives it back', async () => {
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('local') },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    await folder.write('backend.tf', httpBackend({ url: house.url, path: 'acme/migrated' }));
    await folder.must('init', '-migrate-state', '-force-copy');
    expect(await resourcesAt(house, 'acme/migrated')).toEqual(['local']);
    expect(await folder.must('plan')).toContain('No changes');

    await folder.write('backend.tf', '');
    await folder.must('init', '-migrate-state', '-force-copy');
    expect(resourceNames((await folder.read('terraform.tfstate')) ?? '')).toEqual(['local']);
  });

  it('migrates on top of a state of another lineage only because the client was told so', async () => {
    await using there = await folderAt('acme/occupied', resource('there'));
    await there.must('apply', '-auto-approve');
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('local') },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    await folder.write('backend.tf', httpBackend({ url: house.url, path: 'acme/occupied' }));
    await folder.must('init', '-migrate-state', '-force-copy');
    expect(await resourcesAt(house, 'acme/occupied')).toEqual(['local']);
  });

  it('locks with PUT and DELETE where that is what the block says', async () => {
    const address = `${house.url}/http/acme/put`;
    const block = `terraform {
  backend "http" {
    address        = "${address}"
    lock_address   = "${address}?lock"
    lock_method    = "PUT"
    unlock_address = "${address}?lock"
    unlock_method  = "DELETE"
    update_method  = "PUT"
  }
}
`;
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('one'), 'backend.tf': block },
      env: httpLogin(TEST_ADMIN),
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    expect(await resourcesAt(house, 'acme/put')).toEqual(['one']);
    const { records, holders } = await auditAndLock('acme/put');
    expect(records).toEqual(expect.arrayContaining(['lock', 'write', 'unlock']));
    expect(holders).toEqual([]);
  });

  it('keeps workspaces apart by the query, and takes a bearer token as the password', async () => {
    const address = `${house.url}/http/acme/spaces?workspace=dev`;
    const block = `terraform {
  backend "http" {
    address        = "${address}"
    lock_address   = "${address}"
    unlock_address = "${address}"
  }
}
`;
    await using folder = await TerraformFolder.make(terraform!, {
      files: { 'main.tf': resource('dev'), 'backend.tf': block },
      env: { TF_HTTP_USERNAME: 'anybody', TF_HTTP_PASSWORD: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}` },
    });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
    expect(await resourcesAt(house, 'acme/spaces?workspace=dev')).toEqual(['dev']);
    expect(await resourcesAt(house, 'acme/spaces')).toBe(null);
  });

  it('brings a large state home and back, compressed on its way', async () => {
    const large = `${resource('large')}
resource "terraform_data" "ballast" {
  input = join("", [for n in range(1000) : format("%01000d ", n * n)])
}
`;
    await using folder = await folderAt('acme/large', large);
    await folder.must('apply', '-auto-approve');
    const plain = await house.ask('GET', '/http/acme/large');
    const packed = await house.ask('GET', '/http/acme/large', { headers: { 'accept-encoding': 'gzip' } });
    expect(plain.bytes.length).toBeGreaterThan(900_000);
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 2);
    // Terraform prints a line end of its own after the state's.
    expect(await folder.must('state', 'pull')).toBe(`${plain.text}\n`);
    expect(await folder.must('plan')).toContain('No changes');
  });

  it('shows a credential that may not enter what to do, and changes nothing', async () => {
    const reader = await house.credential('everyday-reader', [{ role: 'reader', pattern: 'acme/*' }]);
    const place = { url: house.url, path: 'acme/life', as: reader };
    await using folder = await httpFolder(terraform!, place, resource('one'));
    const refused = await folder.run('apply', '-auto-approve');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('HTTP remote state endpoint invalid auth');
    expect(await folder.must('plan', '-lock=false')).toContain('to add');
    await using stranger = await folder.copy(httpLogin({ id: reader.id, secret: 'x'.repeat(40) }));
    expect((await stranger.run('plan')).output).toMatch(/401|requires auth/);
  });

  it('gives a state to terraform_remote_state', async () => {
    const main = `${resource('one')}\noutput "said" {\n  value = "shared"\n}\n`;
    await using giver = await folderAt('acme/giver', main);
    await giver.must('apply', '-auto-approve');
    const taking = `data "terraform_remote_state" "giver" {
  backend = "http"
  config = { address = "${house.url}/http/acme/giver" }
}
output "heard" {
  value = data.terraform_remote_state.giver.outputs.said
}
`;
    await using taker = await folderAt('acme/taker', taking);
    await taker.must('apply', '-auto-approve');
    expect((await taker.must('output', '-raw', 'heard')).trim()).toBe('shared');
  });

  it('keeps numbers beyond 2^53 as terraform wrote them', async () => {
    const main = `resource "terraform_data" "big" {\n  input = 9007199254740993123\n}\n`;
    await using folder = await folderAt('acme/big', main);
    await folder.must('apply', '-auto-approve');
    const path = join(folder.path, 'pulled.tfstate');
    await writeFile(path, await folder.must('state', 'pull'));
    expect(await readFile(path, 'utf8')).toContain('9007199254740993123');
    expect(await folder.must('plan')).toContain('No changes');
  });

  async function auditAndLock(path: string): Promise<{ records: string[]; holders: readonly unknown[] }> {
    const read = await house.house.audit.read(ADMIN_CALLER, { address: addressAt(path), limit: 50 });
    if (read.type !== 'records') throw new Error('the admin may not read the audit log');
    return {
      records: read.records.map(({ note }) => note.action),
      holders: (await lockAt(house, path)).holders,
    };
  }
});
