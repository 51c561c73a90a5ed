import { isIP } from 'node:net';
import {
  formatBlock,
  hclText,
  type ServedBackend,
  type Snippet,
  type SnippetTarget,
  type Variable,
} from '../../backend.ts';

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

/** The name of the profile, and of the file beside the block. */
const NAME = 'statehouse';
const BACKEND_CONFIG = `${NAME}.s3.tfbackend`;

function s3Snippet(target: SnippetTarget): Snippet {
  const { address, variables } = target;
  const block = formatBlock('s3', [
    ['bucket', hclText(address.project)],
    ['key', hclText(address.key)],
    ['region', hclText(REGION)],
    ['use_lockfile', 'true'],
    ...(variables ? [PATH_STYLE] : []),
  ]);
  const notes = [
    'Terraform before 1.10 has no use_lockfile: write dynamodb_table = "terraform-locks" in its place. You need not create the table.',
    ...(address.workspace === 'default'
      ? []
      : [`After terraform init: terraform workspace select ${address.workspace}`]),
  ];
  if (variables)
    return { block, files: [], environment: s3Variables(target), notes: [WHOLE_SHELL, ...notes] };
  return {
    block,
    files: [
      { path: BACKEND_CONFIG, text: backendConfig(target) },
      { path: '~/.aws/config', text: profile(target) },
    ],
    environment: [],
    notes: [
      `Then: terraform init -backend-config=${BACKEND_CONFIG}`,
      'Terraform before 1.6 has no endpoints: use --env.',
      ...notes,
    ],
  };
}

const REGION = 'us-east-1';
/** Terraform puts the bucket before the host name, even if that is an IP address, and DNS would have to know it. */
const PATH_STYLE = ['use_path_style', 'true'] as const;
const WHOLE_SHELL =
  'These variables redirect every AWS program of the shell to the server, and the AWS provider of Terraform, too. Without --env, only the backend is redirected.';

/** What reaches the backend alone, and nothing else that speaks to AWS. */
function backendConfig({ url, caPath }: SnippetTarget): string {
  const at = hclText(url);
  const settings = [
    ['profile', hclText(NAME)],
    PATH_STYLE,
    ...(caPath === null ? [] : [['custom_ca_bundle', hclText(caPath)] as const]),
  ] as const;
  const wide = Math.max(...settings.map(([name]) => name.length));
  return [
    'endpoints = {',
    `  s3       = ${at}`,
    `  dynamodb = ${at}`,
    `  sts      = ${at}`,
    '}',
    ...settings.map(([name, value]) => `${name.padEnd(wide)} = ${value}`),
  ].join('\n');
}

/** Keeps the secret out of the folder, where Terraform would write it into .terraform and plan files. */
function profile({ url, credential, caPath }: SnippetTarget): string {
  // AWS's command takes the bucket into the path only for an IP address.
  const byName = isIP(new URL(url).hostname.replaceAll(/^\[|\]$/g, '')) === 0;
  return [
    `[profile ${NAME}]`,
    `aws_access_key_id = ${credential.id}`,
    `aws_secret_access_key = ${credential.secret}`,
    `region = ${REGION}`,
    `endpoint_url = ${url}`,
    ...(caPath === null ? [] : [`ca_bundle = ${caPath}`]),
    ...(byName ? ['s3 =', '  addressing_style = path'] : []),
  ].join('\n');
}

function s3Variables({ url, credential, caPath }: SnippetTarget): readonly Variable[] {
  return [
    { name: 'AWS_ENDPOINT_URL', value: url },
    { name: 'AWS_ACCESS_KEY_ID', value: credential.id },
    { name: 'AWS_SECRET_ACCESS_KEY', value: credential.secret },
    ...(caPath === null ? [] : [{ name: 'AWS_CA_BUNDLE', value: caPath }]),
  ];
}
