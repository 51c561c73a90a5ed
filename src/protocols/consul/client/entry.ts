import { formatBlock, hclText, type ServedBackend, type Snippet, type SnippetTarget } from '../../backend.ts';
import { stateKey } from '../layout.ts';

export const CONSUL: ServedBackend = {
  name: 'consul',
  secrets: [{ name: 'access_token' }, { name: 'http_auth' }],
  open: async ({ attributes, env, folder, noExternal }) => {
    const [{ ConsulStateClient }, { readConsulConfig }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new ConsulStateClient(
      readConsulConfig(attributes, { env, folder, noExternal: noExternal ?? false }),
    );
  },
  snippet: consulSnippet,
};
function consulSnippet({ url, address, credential, caPath }: SnippetTarget): Snippet {
  const { host, protocol } = new URL(url);
  const { project, key, workspace } = address;
  const path = stateKey({ ...address, workspace: 'default' });
  return {
    block: formatBlock('consul', [
      ['address', hclText(host)],
      ['scheme', hclText(protocol.slice(0, -1))],
      ['path', hclText(`${project}/${key}`)],
    ]),
    files: [],
    environment: [
      { name: 'CONSUL_HTTP_TOKEN', value: `${credential.id}.${credential.secret}` },
      ...(caPath === null ? [] : [{ name: 'CONSUL_CACERT', value: caPath }]),
    ],
    notes: [
      ...(path === null ? ['This key ends as a workspace of another does: use another door for it.'] : []),
      ...(workspace === 'default' ? [] : [`Select the workspace: terraform workspace select ${workspace}`]),
      'The consul provider takes CONSUL_HTTP_TOKEN, too: where a folder uses it, set access_token by -backend-config instead.',
    ],
  };
}
