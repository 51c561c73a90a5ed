import { isIP } from 'node:net';
import type { Address } from '../core/address.ts';
import { pathOf } from '../protocols/http/layout.ts';

/** What a backend block is to reach. */
export interface BlockTarget {
  /** Where the house is: `http://127.0.0.1:7117`. */
  readonly url: string;
  readonly address: Address;
  /** Words that stand for the id and the secret where no credential is known. */
  readonly credential: { readonly id: string; readonly secret: string };
  /** The certificate to trust, when the house signed its own. */
  readonly caPath: string | null;
}

/** A variable to export before terraform runs. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  /** The variable's value is what this file says. */
  readonly file?: string;
}

/** What to paste so that terraform keeps its state in the house. */
export interface Paste {
  /** The backend block, for any .tf file. */
  readonly block: string;
  readonly environment: readonly Variable[];
  /** What else is to be known, a sentence each. */
  readonly notes: readonly string[];
}

/** How terraform reaches the house by each of its backends: a door is one line here. */
export const BACKEND_BLOCKS: Readonly<Record<string, (target: BlockTarget) => Paste>> = {
  http: httpPaste,
  s3: s3Paste,
};

/** A variable as the line that a POSIX shell takes. */
export function exportLine({ name, value, file }: Variable): string {
  return `export ${name}=${file === undefined ? quoted(value) : `"$(cat ${quoted(file)})"`}`;
}

/** A block of a Terraform configuration: names lined up as `terraform fmt` would. */
function formatBlock(type: string, settings: readonly (readonly [name: string, value: string])[]): string {
  const wide = Math.max(...settings.map(([name]) => name.length));
  const lines = settings.map(([name, value]) => `    ${name.padEnd(wide)} = ${value}`);
  return ['terraform {', `  backend "${type}" {`, ...lines, '  }', '}'].join('\n');
}

/** A text as Terraform's language writes it. */
export function hclText(text: string): string {
  return JSON.stringify(text).replace(/[$%](?=\{)/g, (sign) => sign + sign);
}

function httpPaste({ url, address, credential, caPath }: BlockTarget): Paste {
  const at = hclText(`${url}${pathOf(address)}`);
  return {
    block: formatBlock('http', [
      ['address', at],
      ['lock_address', at],
      ['unlock_address', at],
    ]),
    environment: [
      { name: 'TF_HTTP_USERNAME', value: credential.id },
      { name: 'TF_HTTP_PASSWORD', value: credential.secret },
      ...(caPath === null ? [] : [{ name: 'TF_HTTP_CLIENT_CA_CERTIFICATE_PEM', value: '', file: caPath }]),
    ],
    notes:
      address.workspace === 'default'
        ? [
            'The http backend knows no workspaces of its own: write PROJECT/KEY@WORKSPACE for a block of another one.',
          ]
        : [],
  };
}

function s3Paste({ url, address, credential, caPath }: BlockTarget): Paste {
  const { hostname } = new URL(url);
  // Before any other name than an IP address, AWS's clients put the bucket's, which then must be found.
  const byPath = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
  return {
    block: formatBlock('s3', [
      ['bucket', hclText(address.project)],
      ['key', hclText(address.key)],
      ['region', hclText('us-east-1')],
      ['use_lockfile', 'true'],
      ...(byPath ? [['use_path_style', 'true'] as const] : []),
    ]),
    environment: [
      { name: 'AWS_ENDPOINT_URL', value: url },
      { name: 'AWS_ACCESS_KEY_ID', value: credential.id },
      { name: 'AWS_SECRET_ACCESS_KEY', value: credential.secret },
      ...(caPath === null ? [] : [{ name: 'AWS_CA_BUNDLE', value: caPath }]),
    ],
    notes: [
      'Terraform before 1.10 has no use_lockfile: write dynamodb_table = "terraform-locks" in its place. No table needs to be made.',
      ...(address.workspace === 'default'
        ? []
        : [`After terraform init: terraform workspace select ${address.workspace}`]),
    ],
  };
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
