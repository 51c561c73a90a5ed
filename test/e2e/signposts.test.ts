import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHouse } from '../support/open-test-house.ts';
import { findTerraform, TerraformFolder } from '../support/terraform.ts';
import { resource } from './fixtures/http-folder.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)(
  'backends that are not served, asked by terraform (skipped unless terraform is on PATH)',
  () => {
    let plain: TestHouse;

    beforeAll(async () => {
      plain = await TestHouse.open();
    });
    afterAll(() => plain.close());

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

    it('is told by kubernetes at init, with the way in', async () => {
      const server = JSON.stringify({ server: plain.url });
      await using folder = await TerraformFolder.make(terraform!, {
        files: {
          'main.tf':
            'terraform {\n  backend "kubernetes" {\n    secret_suffix = "x"\n    config_path = "kube"\n  }\n}\n',
          kube: [
            'apiVersion: v1\nkind: Config\ncurrent-context: here',
            `clusters: [{ name: here, cluster: ${server} }]`,
            'users: [{ name: me, user: { token: none } }]',
            'contexts: [{ name: here, context: { cluster: here, user: me, namespace: default } }]',
          ].join('\n'),
        },
      });
      const { code, output } = await folder.run('init');
      expect(code).toBe(1);
      expect(output.replaceAll(/[\s│]+/g, ' ')).toContain(
        'does not serve the backend "kubernetes". Use backend "http"',
      );
    });
  },
);
