import type { ApiError } from '../../api/error.ts';
import { isUntrustedCertificate } from '../../protocols/certificate-fault.ts';
import { Failure, lockedByOther } from '../failure.ts';
import type { Connection } from './connection.ts';

/** Why a house could not be asked. */
export function connectionFailure(fault: unknown, { url }: Connection, stopped: AbortSignal): Failure {
  if (stopped.aborted) return new Failure('stopped before the server had answered', { cause: fault });
  const { code = '', message } = fault as NodeJS.ErrnoException;
  if (isUntrustedCertificate(code)) {
    return new Failure(`the certificate of ${url} is not trusted: ${message}`, {
      next: 'Give the certificate that signed it with --ca FILE. A self-signed certificate is tls-cert.pem in the data directory of the server.',
      cause: fault,
    });
  }
  if (code === 'EPROTO' || /wrong version number|socket hang up/.test(message)) {
    return new Failure(`no server answers at ${url}: ${message}`, {
      next: 'Check whether --server must begin with https:// or with http://.',
      cause: fault,
    });
  }
  return new Failure(`no server answers at ${url}: ${message === '' ? code : message}`, {
    next: 'Check whether the server runs: "statehouse serve" starts one. --server URL or STATEHOUSE_SERVER names another one.',
    cause: fault,
  });
}

/** What a refusal of the house means to the user. */
export function answerFailure(refusal: ApiError, { url, credential }: Connection): Failure {
  const { status, error, message, facts } = refusal;
  if (error === null) {
    return new Failure(`${url} does not answer as a Statehouse server does: HTTP ${status}`, {
      next: 'Check that --server is the URL of a server, without a path.',
    });
  }
  const details = { status, reason: error, ...facts };
  if (status === 423 && error !== 'frozen')
    return lockedByOther(message, '"statehouse locks" shows who holds it.', details);
  if (status === 423) return lockedByOther(message, '"statehouse freeze" lists what is frozen.', details);
  if (status === 401 && error === 'unauthenticated') {
    return credential === null
      ? new Failure('no credential was given', {
          next: 'Set STATEHOUSE_CREDENTIAL, or pass --credential ID.SECRET.',
          details,
        })
      : new Failure(`the credential ${credential.id} is unknown to the server, or its secret is wrong`, {
          next: 'It may have been revoked. An admin can check with "statehouse credential list --all".',
          details,
        });
  }
  return new Failure(message, { details });
}
