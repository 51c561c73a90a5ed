import { formatBlock, hclText, type BackendBlock, type BlockTarget } from '../../backend-block.ts';
import { pathOf } from '../layout.ts';

/** The block of terraform's http backend for a state of the house. */
export function httpBlock({ url, address, credential, caPath }: BlockTarget): BackendBlock {
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
