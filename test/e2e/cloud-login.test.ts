import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { cloudBlock, CloudConfigs, HOSTNAME, tokenOf } from './fixtures/cloud-folder.ts';
import { resource } from './fixtures/http-folder.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('terraform login (skipped unless terraform is on PATH)', () => {
  let house: TestHouse;
  let configs: CloudConfigs;
  let home: string;

  beforeAll(async () => {
    house = await TestHouse.open();
    configs = await CloudConfigs.make();
    home = await mkdtemp(join(tmpdir(), 'statehouse-home-'));
    await mkdir(join(home, '.terraform.d'));
  });
  afterAll(async () => {
    await house.close();
    await configs[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  });

  it('is given the credential that its user gives to the sign-in page, and works with it', async () => {
    // What was logged in with is read only where the configuration is in its usual place.
    const { TF_CLI_CONFIG_FILE: written = '' } = await configs.env(house.url, null);
    await copyFile(written, join(home, '.terraformrc'));
    const env = { HOME: home, TF_CLI_CONFIG_FILE: '' };
    await using folder = await TerraformFolder.make(terraform!, {
      files: {
        'backend.tf': cloudBlock({ url: house.url, organization: 'acme', workspaces: 'name = "login"' }),
        'main.tf': resource('one'),
      },
      env,
    });
    expect((await folder.run('init')).output).toContain(`terraform login ${HOSTNAME}`);

    const login = folder.start(['login', HOSTNAME], { input: 'yes\n', env: { TF_INPUT: '1' } });
    await eventually('the address of the sign-in page is printed', () => /will now wait/.test(login.output));
    const address = /http:\S+oauth\/authorization\S+/.exec(
      login.output.replaceAll(/[\r\n]\s*(?=\S*[&=])/g, ''),
    )?.[0];
    expect(address).toBeDefined();
    const { pathname, search } = new URL(address ?? '');
    const page = await house.ask('GET', pathname + search, { as: null });
    expect(page.status, page.text).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/<script/i);
    const [, style = ''] = /<style>(.*)<\/style>/s.exec(page.text) ?? [];
    const digest = createHash('sha256').update(style).digest('base64');
    expect(page.headers['content-security-policy']).toContain(`style-src 'sha256-${digest}'`);

    const submit = (credential: string): ReturnType<typeof house.ask> =>
      house.ask('POST', pathname + search, {
        as: null,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ credential }).toString(),
      });
    expect((await submit('SHUNKNOWN.secret')).status).toBe(401);
    const given = await submit(tokenOf(TEST_ADMIN));
    expect(given.status, given.text).toBe(302);
    // The browser goes where it is sent. terraform has the code then, and may be gone before it has answered.
    await fetch(given.headers.location ?? '').catch(() => undefined);
    const { code, output } = await login.end;
    expect(code, output).toBe(0);

    const kept = JSON.parse(
      await readFile(join(home, '.terraform.d', 'credentials.tfrc.json'), 'utf8'),
    ) as unknown;
    expect(kept).toEqual({ credentials: { [HOSTNAME]: { token: tokenOf(TEST_ADMIN) } } });
    await folder.must('init');
    await folder.must('apply', '-auto-approve');
  });

  it('is not needed where a token is configured, and the host is found by https', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-cloud-'));
    const secure = await TestHouse.open({
      store: { kind: 'directory', path: join(directory, 'data') },
      tls: { kind: 'self-signed' },
    });
    try {
      const host = `localhost:${new URL(secure.url).port}`;
      const config = join(directory, 'config.tfrc');
      await writeFile(config, `credentials "${host}" {\n  token = "${tokenOf(TEST_ADMIN)}"\n}\n`);
      const block = cloudBlock({ url: secure.url, organization: 'acme', workspaces: 'name = "secure"' });
      await using folder = await TerraformFolder.make(terraform!, {
        files: { 'backend.tf': block.replace(HOSTNAME, host), 'main.tf': resource('one') },
        env: { TF_CLI_CONFIG_FILE: config, SSL_CERT_FILE: secure.certPath! },
      });
      await folder.must('init');
      await folder.must('apply', '-auto-approve');
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
    } finally {
      await secure.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
