import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { resource } from './fixtures/http-folder.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'backends that are not served, asked by terraform (skipped unless terraform is on PATH)',
  () => {
    let plain: TestHouse;
    let secure: TestHouse;
    let directory: string;

    beforeAll(async () => {
      plain = await TestHouse.open();
      directory = await mkdtemp(join(tmpdir(), 'statehouse-signposts-'));
      secure = await TestHouse.open({
        store: { kind: 'directory', path: directory },
        tls: { kind: 'self-signed' },
      });
    });
    afterAll(async () => {
      await plain.close();
      await secure.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    });

    const env = (): Record<string, string> => ({ SSL_CERT_FILE: secure.certPath! });

    async function initOutput(block: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
      await using folder = await TerraformFolder.make(terraform!, {
        files: { 'main.tf': `terraform {\n${block}\n}\n${resource('one')}` },
        env: more,
      });
      const { code, output } = await folder.run('init');
      expect(code, output).toBe(1);
      return output.replaceAll(/[\s│╷╵]+/g, ' ');
    }

    it('is refused to azurerm at init, which shows only the status', async () => {
      const port = new URL(secure.url).port;
      const block = `backend "azurerm" {\n  storage_account_name = "app"\n  container_name = "app"\n  key = "net"\n  access_key = "eA=="\n  metadata_host = "localhost:${port}"\n}`;
      expect(await initOutput(block, env())).toContain('got 400');
    });

    it('is not told "no state yet" by http at an address where nothing is', async () => {
      await using folder = await TerraformFolder.make(terraform!, {
        files: {
          'main.tf': `terraform {\n  backend "http" {\n    address = "${plain.url}/htpp/app/net"\n  }\n}\n${resource('one')}`,
        },
      });
      await folder.run('init');
      const { code, output } = await folder.run('apply', '-auto-approve');
      expect(code).toBe(1);
      expect(output).toContain('400');
      expect(output).not.toContain('Creating...');
    });
  },
);
