import { formatBlock, hclText, type ServedBackend, type Snippet, type SnippetTarget } from '../../backend.ts';
import { pathOf } from '../layout.ts';

export const HTTP: ServedBackend = {
  name: 'http',
  secrets: [{ name: 'password' }, { name: 'client_private_key_pem' }],
  open: async ({ attributes, env }) => {
    const [{ HttpClient }, { readHttpConfig }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new HttpClient(readHttpConfig(attributes, env));
  },
  snippet: httpSnippet,
};

function httpSnippet({ url, address, credential, caPath }: SnippetTarget): Snippet {
  const at = hclText(`${url}${pathOf(address)}`);
  return {
    block: formatBlock('http', [
      ['address', at],
      ['lock_address', at],
      ['unlock_address', at],
      // Waits of 1, 2, 4 … 30 s, two minutes in all: a state finds the server again that was started anew meanwhile.
      ['retry_max', '8'],
      ['retry_wait_min', '1'],
    ]),
    files: [],
    environment: [
      { name: 'TF_HTTP_USERNAME', value: credential.id },
      { name: 'TF_HTTP_PASSWORD', value: credential.secret },
      ...(caPath === null ? [] : [{ name: 'TF_HTTP_CLIENT_CA_CERTIFICATE_PEM', value: '', file: caPath }]),
    ],
    notes:
      address.workspace === 'default'
        ? [
            'The http backend has no workspaces of its own: PROJECT/KEY@WORKSPACE prints the block of another one.',
          ]
        : [],
  };
}
