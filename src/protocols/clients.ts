import type { StateClient } from '../ports/state-client.ts';
import { BackendFault } from '../ports/state-client.ts';
import type { BackendAttributes } from './attributes.ts';

/** A backend as a folder or the command line names it. */
export interface BackendChoice {
  readonly type: string;
  readonly attributes: BackendAttributes;
  /** What relative paths are relative to. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Open = (choice: BackendChoice) => Promise<StateClient>;

/** Every backend that has a client; its code is loaded when it is opened. */
const CLIENTS: Readonly<Record<string, Open>> = {
  local: async ({ attributes, folder }) => {
    const [{ LocalClient }, { readLocalConfig }] = await Promise.all([
      import('./local/client/client.ts'),
      import('./local/client/config.ts'),
    ]);
    return new LocalClient(readLocalConfig(attributes, folder));
  },
  http: async ({ attributes, env }) => {
    const [{ HttpClient }, { readHttpConfig }] = await Promise.all([
      import('./http/client/client.ts'),
      import('./http/client/config.ts'),
    ]);
    return new HttpClient(readHttpConfig(attributes, env));
  },
  s3: async ({ attributes, env }) => {
    const [{ S3StateClient }, { readS3Config }] = await Promise.all([
      import('./s3/client/client.ts'),
      import('./s3/client/config.ts'),
    ]);
    return new S3StateClient(readS3Config(attributes, env));
  },
  pg: async ({ attributes, env }) => {
    const [{ PgClient }, { readPgConfig }] = await Promise.all([
      import('./pg/client/client.ts'),
      import('./pg/client/config.ts'),
    ]);
    return new PgClient(readPgConfig(attributes, env));
  },
};

/** Terraform's and OpenTofu's other backends. */
const NOT_YET: ReadonlySet<string> = new Set([
  'azurerm',
  'cloud',
  'consul',
  'cos',
  'gcs',
  'kubernetes',
  'oci',
  'oss',
  'remote',
  'inmem',
]);

export const CLIENT_NAMES: readonly string[] = Object.keys(CLIENTS);

/**
 * Opens the client of a backend. Nothing is asked of the backend yet.
 * @throws BackendFault when the configuration is not valid, or when there is no client for such a backend
 */
export function openClient(choice: BackendChoice): Promise<StateClient> {
  const open = Object.hasOwn(CLIENTS, choice.type) ? CLIENTS[choice.type] : undefined;
  if (open !== undefined) return open(choice);
  const known = CLIENT_NAMES.join(', ');
  throw new BackendFault(
    'configuration',
    NOT_YET.has(choice.type)
      ? `the ${choice.type} backend is not supported yet`
      : `there is no backend called "${choice.type}"`,
    `Supported are ${known}.`,
  );
}
