import type { ServedBackend } from '../../backend.ts';
import { hcpSnippet } from '../block.ts';
import type { HcpBlock } from './config.ts';

export const CLOUD: ServedBackend = entryOf('cloud', 'cloud {');
export const REMOTE: ServedBackend = entryOf('remote', 'backend "remote" {');

function entryOf(name: HcpBlock, head: string): ServedBackend {
  return {
    name,
    secrets: [{ name: 'token' }],
    open: async ({ attributes, env }) => {
      const [{ HcpStateClient }, { readHcpConfig }] = await Promise.all([
        import('./client.ts'),
        import('./config.ts'),
      ]);
      return new HcpStateClient(await readHcpConfig(name, attributes, env));
    },
    snippet: (target) => hcpSnippet(target, head),
  };
}
