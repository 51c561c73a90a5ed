import { nameOfSubject } from '../../core/subject.ts';
import { ACCOUNT_ID } from '../aws/account.ts';

/** The namespaces of the documents that STS and IAM answer with. */
export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
export const IAM_NAMESPACE = 'https://iam.amazonaws.com/doc/2010-05-08/';
/** Requests name an action and a version, and hardly more. */
export const REQUEST_BYTES_MAX: number = 64 * 1024;

/** The ARN of a subject such as `token:ci-prod`: its name is the user's, in the one account that there is. */
export function arnOf(subject: string): string {
  return `arn:aws:iam::${ACCOUNT_ID}:user/${userName(subject)}`;
}

/** IAM's names have letters, digits and `+=,.@_-`. */
export function userName(subject: string): string {
  return nameOfSubject(subject).replaceAll(/[^\w+=,.@-]/g, '-');
}
