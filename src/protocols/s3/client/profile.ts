import { readFile } from 'node:fs/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { parseSections, type Section } from '../../aws/profiles.ts';
import type { S3Config, S3Endpoints } from './config.ts';

/** What a profile says about where requests go and whom to trust there; null where it says nothing. */
interface ProfileSettings {
  readonly endpoints: S3Endpoints;
  readonly caBundle: string | null;
  readonly region: string | null;
}

const NOWHERE: S3Endpoints = { s3: null, dynamodb: null, sts: null };

/**
 * The configuration with what the profile adds to it: `endpoint_url`, also for one service in a `services` section, and
 * `ca_bundle` and `region`. What the block and the environment say goes first
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
 * @throws {BackendFault} when a file cannot be read, or names a section that is not there
 */
export async function withProfile(config: S3Config): Promise<S3Config> {
  const { endpoints, caBundle, region } = await readProfile(config);
  return {
    ...config,
    region: config.region ?? region,
    caBundle: config.caBundle ?? caBundle,
    endpoints: {
      s3: config.endpoints.s3 ?? endpoints.s3,
      dynamodb: config.endpoints.dynamodb ?? endpoints.dynamodb,
      sts: config.endpoints.sts ?? endpoints.sts,
    },
  };
}

async function readProfile({ profileFiles, ignoresConfiguredEndpoints }: S3Config): Promise<ProfileSettings> {
  const { profile, config, credentials } = profileFiles;
  const sections = parseSections(await readIfThere(config));
  const secrets = parseSections(await readIfThere(credentials));
  // The files spell a profile in two ways, and the default one in both.
  const own = sections.get(`profile ${profile}`) ?? sections.get(profile);
  const settings: Section = new Map([...(secrets.get(profile) ?? []), ...(own ?? [])]);
  const others = { caBundle: settings.get('ca_bundle') ?? null, region: settings.get('region') ?? null };
  const ignores =
    ignoresConfiguredEndpoints || settings.get('ignore_configured_endpoint_urls')?.toLowerCase() === 'true';
  if (ignores) return { endpoints: NOWHERE, ...others };
  const services = servicesOf(settings.get('services'), sections, config);
  const of = (service: string): string | null =>
    services?.get(`${service}.endpoint_url`) ?? settings.get('endpoint_url') ?? null;
  return { endpoints: { s3: of('s3'), dynamodb: of('dynamodb'), sts: of('sts') }, ...others };
}

function servicesOf(
  name: string | undefined,
  sections: ReadonlyMap<string, Section>,
  file: string,
): Section | undefined {
  if (name === undefined) return undefined;
  const section = sections.get(`services ${name}`);
  if (section !== undefined) return section;
  throw new BackendFault(
    'configuration',
    `the profile names the section [services ${name}], which ${file} does not have`,
    'Add the section, or take "services" out of the profile.',
  );
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (fault) {
    const code = fault instanceof Error && 'code' in fault ? fault.code : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new BackendFault('configuration', `the AWS configuration ${path} cannot be read`, '', fault);
  }
}
