import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsMaterial } from './listener.ts';

const VALID_DAYS = 825;
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

/**
 * A certificate that the house signs itself, made once and kept in the data directory, so that clients can be told to trust
 * this one file. For trials and private networks.
 */
export async function selfSignedTls(
  directory: string,
  hosts: readonly string[],
): Promise<TlsMaterial & { certPath: string }> {
  const certPath = join(directory, CERT_FILE);
  const keyPath = join(directory, KEY_FILE);
  const kept = readIfThere(certPath, keyPath);
  if (kept !== null) return { ...kept, certPath };
  const { generate } = await import('selfsigned');
  const ends = new Date(Date.now() + VALID_DAYS * 86_400_000);
  const altNames = [...new Set(['localhost', ...hosts])].map((host) =>
    /^[\d.]+$|:/.test(host) ? ({ type: 7, ip: host } as const) : ({ type: 2, value: host } as const),
  );
  const made = await generate([{ name: 'commonName', value: 'Statehouse' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: ends,
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [...altNames, { type: 7, ip: '127.0.0.1' }, { type: 7, ip: '::1' }],
      },
    ],
  });
  writeFileSync(keyPath, made.private, { mode: 0o600 });
  writeFileSync(certPath, made.cert);
  return { cert: made.cert, key: made.private, certPath };
}

function readIfThere(certPath: string, keyPath: string): TlsMaterial | null {
  return existsSync(certPath) && existsSync(keyPath) ? readTls(certPath, keyPath) : null;
}

function readPem(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new BadTls(`the ${what} ${path} cannot be read`, cause);
  }
}

function proven(problem: string, material: { cert?: string; key?: string }): void {
  try {
    createSecureContext(material);
  } catch (cause) {
    throw new BadTls(problem, cause);
  }
}
