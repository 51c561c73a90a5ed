import { isIP } from 'node:net';
import { formatBlock, hclText, type BackendBlock, type BlockTarget } from '../../backend-block.ts';

/** The block of terraform's s3 backend for a state of the house. */
export function s3Block({ url, address, credential, caPath }: BlockTarget): BackendBlock {
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
