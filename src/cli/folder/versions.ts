import type { StateClient, StateHistory } from '../../ports/state-client.ts';
import { Failure } from '../failure.ts';

/** The backend's history. @throws Failure where it keeps none */
export function historyOf(client: StateClient): StateHistory {
  if (client.history !== null) return client.history;
  throw new Failure(`the ${client.backend} backend keeps no old versions`, {
    next: 'Versioned buckets of S3 or Google and a Statehouse server keep them.',
  });
}

/** The bytes of an old version. @throws Failure where there is no such version */
export async function readVersionOf(client: StateClient, workspace: string, id: string): Promise<Uint8Array> {
  const bytes = await historyOf(client).read(workspace, id);
  if (bytes !== null && bytes.length > 0) return bytes;
  throw new Failure(`there is no version ${id} of the state of workspace ${workspace}`, {
    next: '"statehouse history" lists them.',
  });
}
