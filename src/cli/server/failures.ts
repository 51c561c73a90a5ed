import { isUntrustedCertificate } from '../../protocols/certificate-fault.ts';
import { Failure, lockedByOther } from '../failure.ts';
import type { Connection } from './connection.ts';

/** Why a house could not be asked. */
export function connectionFailure(fault: unknown, { url }: Connection, stopped: AbortSignal): Failure {
  if (stopped.aborted) return new Failure('stopped before the house had answered', { cause: fault });
  const { code = '', message } = fault as NodeJS.ErrnoException;
  if (isUntrustedCertificate(code)) {
    return new Failure(`the certificate of ${url} is not trusted: ${message}`, {
      next: 'Give the certificate that signed it with --ca FILE: the one that a house signs itself is tls-cert.pem in its data directory.',
      cause: fault,
    });
  }
  if (code === 'EPROTO' || /wrong version number|socket hang up/.test(message)) {
    return new Failure(`no house answers at ${url}: ${message}`, {
      next: 'Does it speak https where http was asked, or the other way round?',
      cause: fault,
    });
  }
  return new Failure(`no house answers at ${url}: ${message === '' ? code : message}`, {
    next: 'Is it running? "statehouse serve" starts one; --server URL or STATEHOUSE_SERVER names another.',
    cause: fault,
  });
}

/** What a refusal of the house means to the user. */
export function answerFailure(status: number, body: Uint8Array, { url, credential }: Connection): Failure {
  const problem = readProblem(body);
  if (problem === null) {
    return new Failure(`${url} does not answer as a house does: HTTP ${status}`, {
      next: 'Is --server the address of a house, without a path behind it?',
    });
  }
  const { error, message, ...facts } = problem;
  const details = { status, reason: error, ...facts };
  if (status === 423) return lockedByOther(message, '"statehouse locks" shows who holds it.', details);
  if (status === 401 && error === 'unauthenticated') {
    return credential === null
      ? new Failure('the house wants to know who asks', {
          next: 'Give --credential id.secret, or set STATEHOUSE_CREDENTIAL.',
          details,
        })
      : new Failure(`the house does not know the credential ${credential.id}, or its secret is another`, {
          next: 'It may have been revoked: "statehouse credential list" shows all, to an admin.',
          details,
        });
  }
  return new Failure(message, { details });
}

/** `{"error": …, "message": …}` and facts; null when it is something else. */
function readProblem(
  body: Uint8Array,
): ({ readonly error: string; readonly message: string } & Readonly<Record<string, unknown>>) | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    const { error, message, ...facts } = value as Record<string, unknown>;
    return typeof error === 'string' && typeof message === 'string' ? { ...facts, error, message } : null;
  } catch {
    return null;
  }
}
