import type { ServedBackend } from '../../backend.ts';
import { azurermSnippet } from '../block.ts';

export const AZURERM: ServedBackend = {
  name: 'azurerm',
  secrets: [
    { name: 'access_key' },
    { name: 'sas_token' },
    { name: 'client_secret' },
    { name: 'client_certificate' },
    { name: 'client_certificate_password' },
    { name: 'oidc_token' },
    { name: 'oidc_request_token' },
  ],
  open: async ({ attributes, env, folder, noExternal }) => {
    const [{ AzurermStateClient }, { readAzurermConfig }] = await Promise.all([
      import('./client.ts'),
      import('./config.ts'),
    ]);
    return new AzurermStateClient(
      readAzurermConfig(attributes, { env, folder, noExternal: noExternal ?? false }),
    );
  },
  snippet: azurermSnippet,
  signs: true,
  examine: async (target) => (await import('../reach.ts')).examineReach(target),
};
