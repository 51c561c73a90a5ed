import { readFile } from 'node:fs/promises';
import { openLog, systemClock, systemEntropy } from '../../../server/runtime.ts';
import { readVersion } from '../../../server/version.ts';
import type { Connection } from '../../server/connection.ts';
import { JobClient } from '../job-client.ts';
import { KubernetesApi, placeOfPod } from './api.ts';
import { KubernetesController } from './controller.ts';
import { readJobTemplate } from './manifests.ts';

/**
 * Puts a controller together, in a pod of the cluster.
 * @throws Error with words for the operator
 */
export async function openController(options: {
  readonly connection: Connection;
  /** Of its pool. */
  readonly token: string;
  readonly name: string;
  /** The file of the manifest. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<KubernetesController> {
  const template = readJobTemplate(await readFile(options.file, 'utf8'));
  const { namespace = null } = template.manifest.metadata;
  return new KubernetesController({
    server: new JobClient(options.connection, options.token),
    about: { name: options.name, version: readVersion(), programs: template.programs },
    api: await KubernetesApi.open(placeOfPod(options.env), namespace),
    template,
    clock: systemClock,
    entropy: systemEntropy,
    log: openLog('info'),
  });
}
