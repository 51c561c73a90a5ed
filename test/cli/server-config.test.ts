import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportLine } from '../../src/cli/server/export-line.ts';
import { hclText } from '../../src/protocols/backend.ts';
import { runStatehouse } from './run-statehouse.ts';

it('prints the block of an address, and what to export', async () => {
  const flags = ['--server', 'https://state.example.com/'];
  const { code, out, err } = await runStatehouse(['config', 'http', 'app/net.tfstate@dev', ...flags], {
    env: { STATEHOUSE_CREDENTIAL: 'SHAAAABBBBCCCCDDDD.secretsecret' },
  });
  expect(code).toBe(0);
  expect(out).toBe(`terraform {
  backend "http" {
    address        = "https://state.example.com/http/app/net.tfstate?workspace=dev"
    lock_address   = "https://state.example.com/http/app/net.tfstate?workspace=dev"
    unlock_address = "https://state.example.com/http/app/net.tfstate?workspace=dev"
    retry_max      = 8
    retry_wait_min = 1
  }
}

export TF_HTTP_USERNAME=SHAAAABBBBCCCCDDDD
export TF_HTTP_PASSWORD=secretsecret
`);
  expect(err).toBe('');
});

it('prints the block of the consul backend, and the token', async () => {
  const flags = ['--server', 'https://state.example.com', '--credential', 'SHAAAABBBBCCCCDDDD.secretsecret'];
  const { out, err } = await runStatehouse(['config', 'consul', 'app/net.tfstate@dev', ...flags]);
  expect(out).toBe(`terraform {
  backend "consul" {
    address = "state.example.com"
    scheme  = "https"
    path    = "app/net.tfstate"
  }
}

export CONSUL_HTTP_TOKEN=SHAAAABBBBCCCCDDDD.secretsecret
`);
  expect(err).toContain('terraform workspace select dev');
});

it('prints the block of the azurerm backend, the key, and what it needs of names and trust', async () => {
  const flags = [
    '--server',
    'https://state.example.com:7117',
    '--credential',
    'SHAAAABBBBCCCCDDDD.c2VjcmV0c2VjcmV0',
  ];
  const { out, err } = await runStatehouse(['config', 'azurerm', 'app/net.tfstate@dev', ...flags]);
  expect(out).toBe(`terraform {
  backend "azurerm" {
    metadata_host        = "state.example.com:7117"
    storage_account_name = "shaaaabbbbccccdddd"
    container_name       = "app"
    key                  = "net.tfstate"
  }
}

export ARM_ACCESS_KEY=c2VjcmV0c2VjcmV0
`);
  expect(err).toContain('shaaaabbbbccccdddd.blob.state.example.com must lead to the server');
  expect(err).toContain('--tls-self-signed with --domain state.example.com');
  expect(err).toContain('terraform workspace select dev');

  const signed = await runStatehouse(['config', 'azurerm', 'app/net.tfstate', '--sas', ...flags]);
  expect(signed.out).toContain('storage_account_name = "statehouse"');
  expect(signed.out).toMatch(/export ARM_SAS_TOKEN='sv=[^']*&si=SHAAAABBBBCCCCDDDD&sig=[^']*'/);
  expect(signed.out).not.toContain('c2VjcmV0');
  const other = await runStatehouse(['config', 'http', 'app/net.tfstate', '--sas', ...flags]);
  expect(other.code).toBe(2);
  expect(other.err).toContain('--sas is not for the backend "http"');
});

it('prints the block of cloud and of remote, and what the command line needs to know of the host', async () => {
  const flags = ['--server', 'https://state.example.com', '--credential', 'SHAAAABBBBCCCCDDDD.secretsecret'];
  const { out, err } = await runStatehouse(['config', 'cloud', 'app/net.tfstate@dev', ...flags]);
  expect(out).toBe(`terraform {
  cloud {
    hostname     = "state.example.com"
    organization = "app"

    workspaces {
      name = "net.tfstate.-dev"
    }
  }
}

# ~/.terraformrc
credentials "state.example.com" {
  token = "SHAAAABBBBCCCCDDDD.secretsecret"
}

`);
  expect(err).toContain('terraform login state.example.com');
  const plain = await runStatehouse(['config', 'remote', 'app/net']);
  expect(plain.out).toContain('  backend "remote" {\n    hostname     = "127.0.0.1:7117"\n');
  expect(plain.out).toContain('"tfe.v2.1" = "http://127.0.0.1:7117/api/v2/"');
});

it('prints the block of the s3 backend, and files that reach nothing but the backend', async () => {
  const given = ['--credential', 'SHAAAABBBBCCCCDDDD.secretsecret'];
  const { out, err } = await runStatehouse(['config', 's3', 'app/net.tfstate@dev', ...given]);
  expect(out).toBe(`terraform {
  backend "s3" {
    bucket       = "app"
    key          = "net.tfstate"
    region       = "us-east-1"
    use_lockfile = true
  }
}

# statehouse.s3.tfbackend
endpoints = {
  s3       = "http://127.0.0.1:7117"
  dynamodb = "http://127.0.0.1:7117"
  sts      = "http://127.0.0.1:7117"
}
profile        = "statehouse"
use_path_style = true

# ~/.aws/config
[profile statehouse]
aws_access_key_id = SHAAAABBBBCCCCDDDD
aws_secret_access_key = secretsecret
region = us-east-1
endpoint_url = http://127.0.0.1:7117

`);
  expect(err).toContain('terraform init -backend-config=statehouse.s3.tfbackend');
  expect(err).toContain('terraform workspace select dev');
  const named = ['--server', 'https://state.example.com', ...given];
  const other = await runStatehouse(['config', 's3', 'app/net.tfstate', ...named]);
  expect(other.out).toContain('s3 =\n  addressing_style = path\n');
});

it('prints the variables of the s3 backend where they are asked for', async () => {
  const given = ['--credential', 'SHAAAABBBBCCCCDDDD.secretsecret', '--env'];
  const { out, err } = await runStatehouse(['config', 's3', 'app/net.tfstate', ...given]);
  expect(out).toContain('    use_path_style = true\n');
  expect(out).toContain(`
export AWS_ENDPOINT_URL=http://127.0.0.1:7117
export AWS_ACCESS_KEY_ID=SHAAAABBBBCCCCDDDD
export AWS_SECRET_ACCESS_KEY=secretsecret
`);
  expect(err).toContain('These variables redirect every AWS program of the shell');
});

it("prints a service account's key file for the gcs backend, where one is asked for", async () => {
  const flags = ['--server', 'https://state.example.com', '--key-file', '--json'];
  const given = ['--credential', 'SHAAAABBBBCCCCDDDD.secretsecret'];
  const { out } = await runStatehouse(['config', 'gcs', 'app/net.tfstate', ...flags, ...given]);
  const { block, files, environment } = JSON.parse(out) as {
    block: string;
    files: readonly { path: string; text: string }[];
    environment: object;
  };
  expect(block).toMatch(/credentials += "statehouse-key.json"/);
  expect(environment).toEqual({});
  expect(files.map(({ path }) => path)).toEqual(['statehouse-key.json']);
  expect(JSON.parse(files[0]?.text ?? '')).toMatchObject({
    type: 'service_account',
    client_email: 'SHAAAABBBBCCCCDDDD@statehouse',
    token_uri: 'https://state.example.com/gcs/token',
  });
  expect(out).not.toContain('secretsecret');
  const nameless = await runStatehouse(['config', 'gcs', 'app/net.tfstate', '--key-file']);
  expect(nameless.err).toContain('--key-file makes a key of a credential');
  const other = await runStatehouse(['config', 'http', 'app/net.tfstate', '--key-file', ...given]);
  expect(other.err).toContain('it takes no key file');
});

it('says where the credential comes from when it knows none', async () => {
  const { out, err } = await runStatehouse(['config', 'http', 'app/net.tfstate']);
  expect(out).toContain('export TF_HTTP_USERNAME=ID\n');
  expect(err).toContain('statehouse credential create');
});

it('puts no admin into a folder: what the first start wrote for the admin is not printed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-config-'));
  const file = join(directory, 'admin-credential');
  await writeFile(file, 'SHAAAABBBBCCCCDDDD.secretsecret\n', { mode: 0o600 });
  const env = { STATEHOUSE_CREDENTIAL_FILE: file };
  const { out, err } = await runStatehouse(['config', 'http', 'app/net.tfstate'], { env });
  expect(out).toContain('export TF_HTTP_USERNAME=ID\n');
  expect(out + err).not.toContain('secretsecret');
  expect(err).toContain("is the admin's");
  expect(err).toContain('--create-credential NAME');
  const signed = await runStatehouse(['config', 'azurerm', 'app/net.tfstate', '--sas'], { env });
  expect(signed.code).toBe(2);
  const own = await runStatehouse(['config', 'http', 'app/net', '--credential', 'SHA.own'], { env });
  expect(own.out).toContain('export TF_HTTP_USERNAME=SHA\n');
  await rm(directory, { recursive: true });
});

it('takes the certificate to trust into the environment, by its file or, in JSON, by what it says', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse config-'));
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, 'PEM\n');
  const asked = ['config', 'http', 'app/net.tfstate', '--ca', ca];
  const { out } = await runStatehouse(asked);
  expect(out).toContain(`export TF_HTTP_CLIENT_CA_CERTIFICATE_PEM="$(cat '${ca}')"`);
  const json = JSON.parse((await runStatehouse([...asked, '--json'])).out) as Record<string, unknown>;
  expect(json['environment']).toMatchObject({ TF_HTTP_CLIENT_CA_CERTIFICATE_PEM: 'PEM\n' });
  await rm(directory, { recursive: true });
});

it('refuses what is no backend, no address, no URL and no credential', async () => {
  const refusals: readonly (readonly [words: readonly string[], says: string])[] = [
    [['ftp', 'app/net'], 'invalid backend "ftp": expected one of http, s3'],
    [['toString', 'app/net'], 'invalid backend "toString"'],
    [['http', 'app'], 'invalid address "app"'],
    [['http', 'app/net', '--server', 'house:7117'], '--server: invalid URL "house:7117"'],
    [['http', 'app/net', '--credential', 'secret'], 'expected ID.SECRET'],
  ];
  for (const [words, says] of refusals) {
    const { code, err } = await runStatehouse(['config', ...words]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(says) as string });
  }
});

it('writes texts as Terraform and the shell read them', () => {
  expect(hclText('a"b${c}%{d}')).toBe('"a\\"b$${c}%%{d}"');
  expect(exportLine({ name: 'N', value: "it's" })).toBe(`export N='it'\\''s'`);
});
