import type { Finding } from '../../../ports/state-client.ts';
import { LOCK_INFO_METADATA } from '../layout.ts';
import type { Blobs } from './blobs.ts';
import type { AzurermConfig } from './config.ts';

/** More states than this are not looked at one by one. */
const STATES_MAX = 200;

/** What an owner of states in Azure should know. */
export async function examineAzurerm(
  config: AzurermConfig,
  blobs: Blobs,
  names: readonly string[],
): Promise<readonly Finding[]> {
  const { account, container } = config;
  const [headers, days] = [await blobs.container(), await blobs.retentionDays()];
  const findings: (Finding | null)[] = [
    await versioning(config, blobs, names),
    days === null
      ? {
          level: 'hint',
          topic: 'soft delete',
          message: 'soft delete could not be checked',
          next: 'It needs the right to read the properties of the blob service.',
        }
      : days > 0
        ? {
            level: 'good',
            topic: 'soft delete',
            message: `deleted blobs can be restored for ${days === 1 ? 'a day' : `${days} days`}`,
            next: '',
          }
        : {
            level: 'warning',
            topic: 'soft delete',
            message: 'a deleted state cannot be restored',
            next: `az storage account blob-service-properties update --account-name ${account} --enable-delete-retention true --delete-retention-days 30`,
          },
    ...ofContainer(headers, container, account),
  ];
  const leases: Finding[] = [];
  for (const name of names.slice(0, STATES_MAX)) {
    const there = await blobs.describe(name);
    if (there === null || !there.leased || there.metadata.has(LOCK_INFO_METADATA)) continue;
    leases.push({
      level: 'problem',
      topic: 'lease',
      message: `${name} is leased, and nothing tells by whom: terraform can neither lock nor unlock it`,
      next: `If no run is at work: statehouse force-unlock ${there.etag.replaceAll('"', '')}`,
    });
  }
  return [...findings.filter((finding) => finding !== null), ...leases];
}

function ofContainer(
  headers: Readonly<Record<string, string | string[] | undefined>> | null,
  container: string,
  account: string,
): readonly Finding[] {
  const topic = 'public access';
  if (headers === null) {
    const message = 'whether the container is public could not be checked';
    return [{ level: 'hint', topic, message, next: 'It needs the right to read the container.' }];
  }
  const open = headers['x-ms-blob-public-access'];
  const held =
    headers['x-ms-has-immutability-policy'] === 'true' || headers['x-ms-has-legal-hold'] === 'true';
  return [
    open === undefined || open === ''
      ? { level: 'good', topic, message: 'the container is not public', next: '' }
      : {
          level: 'problem',
          topic,
          message: `everyone may read the ${open === 'container' ? 'whole container' : 'blobs of the container'}: states have secrets in them`,
          next: `az storage container set-permission --account-name ${account} --name ${container} --public-access off`,
        },
    ...(held
      ? [
          {
            level: 'problem',
            topic: 'retention',
            message:
              "the container's immutability policy or legal hold keeps every blob: states cannot be overwritten",
            next: 'Use another container, or remove the policy.',
          } as const,
        ]
      : []),
  ];
}

/** A blob says of which version it is where the account keeps versions. */
async function versioning(
  { account, snapshot }: AzurermConfig,
  blobs: Blobs,
  names: readonly string[],
): Promise<Finding> {
  const topic = 'versioning';
  const next = `az storage account blob-service-properties update --account-name ${account} --enable-versioning true`;
  for (const name of names) {
    const there = await blobs.describe(name);
    if (there === null) continue;
    if (there.version !== null)
      return { level: 'good', topic, message: 'the account keeps old versions', next: '' };
    return snapshot
      ? { level: 'good', topic, message: 'each write keeps a snapshot of the state before it', next: '' }
      : {
          level: 'warning',
          topic,
          message: 'the account keeps no old versions: a bad write cannot be undone',
          next: `${next}, or set snapshot = true.`,
        };
  }
  return { level: 'hint', topic, message: 'versioning cannot be checked before there is a state', next };
}
