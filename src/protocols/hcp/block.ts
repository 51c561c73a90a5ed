import { hclText, type Snippet, type SnippetTarget } from '../backend.ts';
import {
  API_PREFIX,
  AUTHORIZATION_PATH,
  LOGIN_CLIENT,
  LOGIN_PORTS,
  TOKEN_PATH,
  workspaceName,
} from './layout.ts';

/** The services that the two blocks and their state-only mode ask for. */
const SERVICES = ['tfe.v2', 'tfe.v2.1', 'tfe.v2.2', 'state.v2'] as const;

/** How terraform reaches a Statehouse by one of the two blocks. @param head what the block begins with */
export function hcpSnippet({ url, address, credential, caPath }: SnippetTarget, head: string): Snippet {
  const { protocol, host } = new URL(url);
  const isFound = protocol === 'https:';
  return {
    block: [
      'terraform {',
      `  ${head}`,
      `    hostname     = ${hclText(host)}`,
      `    organization = ${hclText(address.project)}`,
      '',
      '    workspaces {',
      `      name = ${hclText(workspaceName(address))}`,
      '    }',
      '  }',
      '}',
    ].join('\n'),
    files: [
      {
        path: '~/.terraformrc',
        text: [
          ...(isFound ? [] : [hostBlock(host, url), '']),
          `credentials ${hclText(host)} {`,
          `  token = ${hclText(`${credential.id}.${credential.secret}`)}`,
          '}',
        ].join('\n'),
      },
    ],
    environment: caPath === null ? [] : [{ name: 'SSL_CERT_FILE', value: caPath }],
    notes: [
      `In place of the credentials block, "terraform login ${host}" asks for the credential in a browser.`,
      ...(isFound
        ? []
        : [
            'Terraform finds a host by https alone: the host block is for a server without it, on this machine.',
          ]),
      'OpenTofu reads the same from ~/.tofurc, too.',
    ],
  };
}

/** Tells the addresses of the services, which are otherwise asked of the host by https. */
function hostBlock(host: string, url: string): string {
  const [from, to] = LOGIN_PORTS;
  const wide = Math.max(...SERVICES.map((name) => name.length));
  return [
    `host ${hclText(host)} {`,
    '  services = {',
    ...SERVICES.map((name) => `    ${hclText(name).padEnd(wide + 2)} = ${hclText(`${url}${API_PREFIX}`)}`),
    `    ${hclText('login.v1').padEnd(wide + 2)} = {`,
    `      client      = ${hclText(LOGIN_CLIENT)}`,
    '      grant_types = ["authz_code"]',
    `      authz       = ${hclText(`${url}${AUTHORIZATION_PATH}`)}`,
    `      token       = ${hclText(`${url}${TOKEN_PATH}`)}`,
    `      ports       = [${from}, ${to}]`,
    '    }',
    '  }',
    '}',
  ].join('\n');
}
