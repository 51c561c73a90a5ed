import { isIP } from 'node:net';
import { formatBlock, hclText, type ServedBackend, type Snippet, type SnippetTarget } from '../../backend.ts';

export const S3: ServedBackend = {
  name: 's3',
  secrets: [{ name: 'access_key' }, { name: 'secret_key' }, { name: 'token' }, { name: 'sse_customer_key' }],
  open: async ({ attributes, env, noExternal }) => {
    const [{ S3StateClient }, { readS3Config }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new S3StateClient(readS3Config(attributes, env, noExternal));
  },
  snippet: s3Snippet,
};

function s3Snippet({ url, address, credential, caPath }: SnippetTarget): Snippet {
  const { hostname } = new URL(url);
  // AWS's clients put the bucket's name before any host name but an IP address, and DNS would have to know it.
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
      'Terraform before 1.10 has no use_lockfile: write dynamodb_table = "terraform-locks" in its place. You need not create the table.',
      ...(address.workspace === 'default'
        ? []
        : [`After terraform init: terraform workspace select ${address.workspace}`]),
    ],
  };
}
