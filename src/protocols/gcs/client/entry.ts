import { formatBlock, hclText, type ServedBackend, type Snippet, type SnippetTarget } from '../../backend.ts';
import { JSON_PREFIX } from '../layout.ts';

export const GCS: ServedBackend = {
  name: 'gcs',
  secrets: [
    { name: 'access_token' },
    // Both may be the path of a file, which is none.
    { name: 'credentials', pattern: /^\s*\{/ },
    { name: 'encryption_key', pattern: /^[A-Za-z0-9+/]{43}=$/ },
  ],
  open: async ({ attributes, env, folder, noExternal }) => {
    const [{ GcsStateClient }, { readGcsConfig }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new GcsStateClient(readGcsConfig(attributes, { env, folder, noExternal: noExternal ?? false }));
  },
  snippet: gcsSnippet,
};

function gcsSnippet({ url, address, credential, caPath }: SnippetTarget): Snippet {
  const { project, key, workspace } = address;
  return {
    block: formatBlock('gcs', [
      ['bucket', hclText(project)],
      ['prefix', hclText(key)],
      ['storage_custom_endpoint', hclText(`${url}${JSON_PREFIX}`)],
    ]),
    files: [],
    environment: [
      { name: 'GOOGLE_OAUTH_ACCESS_TOKEN', value: `${credential.id}.${credential.secret}` },
      ...(caPath === null ? [] : [{ name: 'SSL_CERT_FILE', value: caPath }]),
    ],
    notes: [
      ...(workspace === 'default' ? [] : [`Select the workspace: terraform workspace select ${workspace}`]),
      'The google provider takes GOOGLE_OAUTH_ACCESS_TOKEN, too: where a folder uses it, set access_token by -backend-config instead.',
    ],
  };
}
