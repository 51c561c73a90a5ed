import { readFileSync } from 'node:fs';
import type { Environment } from '../ports/environment.ts';
import { BackendFault } from '../ports/state-client.ts';

/** Certificates to trust, in PEM, and the file that they came from. */
export interface TrustedCertificates {
  readonly path: string;
  readonly pem: string;
}

/** What to do where a client that reads them finds a certificate that is not trusted. */
export const TRUST_BY_FILE = 'Give its CA in the file that SSL_CERT_FILE names.';

/** The certificates that Go's programs trust in place of the usual ones; null where none are named. */
export function readCertificates(env: Environment): TrustedCertificates | null {
  const path = env['SSL_CERT_FILE'] ?? '';
  if (path === '') return null;
  try {
    return { path, pem: readFileSync(path, 'utf8') };
  } catch (fault) {
    throw new BackendFault('configuration', `SSL_CERT_FILE names ${path}, which cannot be read`, '', fault);
  }
}
