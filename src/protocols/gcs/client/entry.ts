import { formatBlock, hclText, type ServedBackend, type Snippet, type SnippetTarget } from '../../backend.ts';
import { makeKeyFile } from '../key-file.ts';
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
  keyFiles: true,
};

/** The name of a key file, beside the block that names it. */
const KEY_FILE = 'statehouse-key.json';

function gcsSnippet({ url, address, credential, caPath, keyFile }: SnippetTarget): Snippet {
  const { project, key, workspace } = address;
  const withKey = keyFile === true;
  return {
    block: formatBlock('gcs', [
      ['bucket', hclText(project)],
      ['prefix', hclText(key)],
      ['storage_custom_endpoint', hclText(`${url}${JSON_PREFIX}`)],
      ...(withKey ? [['credentials', hclText(KEY_FILE)] as const] : []),
    ]),
    files: withKey ? [{ path: KEY_FILE, text: makeKeyFile({ url, credential }) }] : [],
    environment: [
      ...(withKey
        ? []
        : [{ name: 'GOOGLE_OAUTH_ACCESS_TOKEN', value: `${credential.id}.${credential.secret}` }]),
      ...(caPath === null ? [] : [{ name: 'SSL_CERT_FILE', value: caPath }]),
    ],
    notes: [
      ...(workspace === 'default' ? [] : [`Select the workspace: terraform workspace select ${workspace}`]),
      withKey
        ? `${KEY_FILE} is a secret: keep it out of the repository. It is good for as long as the credential is.`
        : 'The google provider takes GOOGLE_OAUTH_ACCESS_TOKEN, too: where a folder uses it, set access_token by -backend-config instead.',
    ],
  };
}
