import type { ApiError } from '../../api/error.ts';
import { Failure, lockedByOther } from '../failure.ts';
import type { Connection } from './connection.ts';

/** Why a house could not be asked. */
export function connectionFailure(fault: unknown, { url }: Connection, stopped: AbortSignal): Failure {
  if (stopped.aborted) return new Failure('stopped before the house had answered', { cause: fault });
  const { code = '', message } = fault as NodeJS.ErrnoException;
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
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
export function answerFailure(refusal: ApiError, { url, credential }: Connection): Failure {
  const { status, error, message, facts } = refusal;
  if (error === null) {
    return new Failure(`${url} does not answer as a house does: HTTP ${status}`, {
      next: 'Is --server the address of a house, without a path behind it?',
    });
  }
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
