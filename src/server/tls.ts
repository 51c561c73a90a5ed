import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { writePrivateFile } from '../keyring/private-file.ts';
import type { Log } from '../ports/log.ts';
import type { TlsMaterial } from './listener.ts';

export const DAY_MS = 86_400_000;
/** As long as public authorities may make theirs (CA/Browser Forum, Baseline Requirements 6.3.2, until March 2026). */
const VALID_DAYS = 397;
/** How long before its end a certificate that the house signed itself is replaced, and the end of another one is warned of. */
export const RENEWAL_MS: number = 30 * DAY_MS;
const CERT_FILE = 'tls-cert.pem';
const KEY_FILE = 'tls-key.pem';

/** A certificate or a key that TLS cannot be spoken with. */
class BadTls extends Error {
  constructor(message: string, cause: unknown) {
    super(`${message}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'BadTls';
  }
}

/**
 * Reads a certificate chain and its key.
 * @throws {BadTls} when one of them cannot be read, is not valid PEM, or does not match the other one
 */
export function readTls(certPath: string, keyPath: string): TlsMaterial {
  const cert = readPem(certPath, 'certificate');
  const key = readPem(keyPath, 'private key');
  proven(`${certPath} is not a valid PEM certificate`, { cert });
  proven(`${keyPath} is not a valid PEM private key, or it needs a passphrase`, { key });
  proven(`the private key ${keyPath} does not match the certificate ${certPath}`, { cert, key });
  return { cert, key };
}

/** Reads the certificates of authorities. @throws {BadTls} when they cannot be read, or there are none */
export function readAuthorities(path: string): string {
  const ca = readPem(path, 'certificates of authorities');
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new BadTls(`${path} is not valid`, 'expected certificates in PEM');
  proven(`${path} is not valid`, { ca });
  return ca;
}

/** When the first certificate of a chain, the server's own, ends. */
export function endOf({ cert }: Pick<TlsMaterial, 'cert'>): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

/** Where a certificate that the house signs itself is kept. */
export function selfSignedPaths(directory: string): { readonly cert: string; readonly key: string } {
  return { cert: join(directory, CERT_FILE), key: join(directory, KEY_FILE) };
}

/**
 * A certificate that the house signs itself and keeps in its directory, so that clients can be told to trust this one file. For
 * trials and private networks. It is a leaf that can sign nothing, so that whoever takes its key can be this server and no other. It
 * is made anew before it ends, and where the one that is kept cannot be used or could sign others.
 */
export async function selfSignedTls(
  directory: string,
  hosts: readonly string[],
  log: Log,
): Promise<TlsMaterial> {
  const paths = selfSignedPaths(directory);
  const kept = existsSync(paths.cert) && existsSync(paths.key) ? usable(paths) : null;
  if (kept !== null && 'material' in kept) return kept.material;
  const made = await sign(hosts);
  writePrivateFile(paths.key, made.key);
  writePrivateFile(paths.cert, made.cert);
  if (kept !== null)
    log.warn('a new self-signed certificate was made: clients must be told to trust it', {
      file: paths.cert,
      why: kept.why,
    });
  return made;
}

/** The certificate that is kept, or why it is to be replaced. */
function usable(paths: {
  readonly cert: string;
  readonly key: string;
}): { readonly material: TlsMaterial } | { readonly why: string } {
  try {
    const material = readTls(paths.cert, paths.key);
    if (new X509Certificate(material.cert).ca)
      return { why: 'the former one could sign certificates for others' };
    if (endOf(material) - Date.now() < RENEWAL_MS) return { why: 'the former one ends soon' };
    return { material };
  } catch (fault) {
    return { why: fault instanceof Error ? fault.message : String(fault) };
  }
}

async function sign(hosts: readonly string[]): Promise<TlsMaterial> {
  const { generate } = await import('selfsigned');
  const altNames = [...new Set(['localhost', ...hosts])].flatMap((host) =>
    // The azurerm backend puts an account's name before the server's.
    isNetworkAddress(host) ? [addressName(host)] : [hostName(host), hostName(`*.blob.${host}`)],
  );
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'Statehouse' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + VALID_DAYS * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [...altNames, addressName('127.0.0.1'), addressName('::1')],
      },
    ],
  });
  return { cert, key };
}

type AltName = { readonly type: 2; readonly value: string } | { readonly type: 7; readonly ip: string };

function hostName(value: string): AltName {
  return { type: 2, value };
}

function addressName(ip: string): AltName {
  return { type: 7, ip };
}

function isNetworkAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}

function readPem(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new BadTls(`the ${what} ${path} cannot be read`, cause);
  }
}

function proven(problem: string, material: { cert?: string; key?: string; ca?: string }): void {
  try {
    createSecureContext(material);
  } catch (cause) {
    throw new BadTls(problem, cause);
  }
}
