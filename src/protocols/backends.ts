import { BackendFault, type StateClient } from '../ports/state-client.ts';
import { secretsIn, type BackendChoice, type BackendEntry, type ServedBackend } from './backend.ts';
import { AZURERM } from './azurerm/client/entry.ts';
import { CONSUL } from './consul/client/entry.ts';
import { GCS } from './gcs/client/entry.ts';
import { CLOUD, REMOTE } from './hcp/client/entry.ts';
import { HTTP } from './http/client/entry.ts';
import { LOCAL } from './local/client/entry.ts';
import { PG } from './pg/client/entry.ts';
import { S3 } from './s3/client/entry.ts';

/** Every backend that has a client. A new one is a folder and a line here. */
const BACKENDS: readonly BackendEntry[] = [LOCAL, HTTP, S3, GCS, AZURERM, CONSUL, PG, CLOUD, REMOTE];

/** What terraform uses in a folder without a backend block. */
export const DEFAULT_BACKEND: string = LOCAL.name;

/** The backend with which first steps are shown. */
export const FIRST_STEPS: ServedBackend = HTTP;

/** All backends of Terraform and OpenTofu, those without a client too. */
const TERRAFORMS: ReadonlySet<string> = new Set([
  'azurerm',
  'cloud',
  'consul',
  'cos',
  'gcs',
  'http',
  'inmem',
  'kubernetes',
  'local',
  'oci',
  'oss',
  'pg',
  'remote',
  's3',
]);

export const CLIENT_NAMES: readonly string[] = BACKENDS.map(({ name }) => name);

/** What is known of a backend; null where it has no client. */
export function findBackend(name: string): BackendEntry | null {
  return BACKENDS.find((entry) => entry.name === name) ?? null;
}

/** Whether `name=value` sets what is a secret to some backend. */
export function isSecretSetting(setting: string): boolean {
  const equals = setting.indexOf('=');
  if (equals < 0) return false;
  const attributes = { [setting.slice(0, equals).trim()]: setting.slice(equals + 1) };
  return BACKENDS.some((entry) => secretsIn(entry, attributes).length > 0);
}

/** The backends through which terraform reaches a Statehouse. */
export const SERVED_BACKENDS: readonly ServedBackend[] = BACKENDS.filter(
  (entry): entry is ServedBackend => entry.snippet !== null,
);

/**
 * Opens the client of a backend. Nothing is asked of the backend yet.
 * @throws BackendFault when the configuration is not valid, or when there is no client for such a backend
 */
export function openClient(choice: BackendChoice): Promise<StateClient> {
  const entry = findBackend(choice.type);
  if (entry !== null) return entry.open(choice);
  throw new BackendFault(
    'configuration',
    TERRAFORMS.has(choice.type)
      ? `the ${choice.type} backend is not supported yet`
      : `there is no backend called "${choice.type}"`,
    `Supported are ${CLIENT_NAMES.join(', ')}.`,
  );
}
