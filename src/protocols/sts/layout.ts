import type { Session } from '../../core/grant.ts';
import { nameOfSubject } from '../../core/subject.ts';

/** The namespaces of the documents that STS and IAM answer with. */
export const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
export const IAM_NAMESPACE = 'https://iam.amazonaws.com/doc/2010-05-08/';
/** Requests name an action and a version, and hardly more. */
export const REQUEST_BYTES_MAX: number = 64 * 1024;

/** The ARN of a subject such as `token:ci-prod`: its name is the user's. */
export function userArn(account: string, subject: string): string {
  return `arn:aws:iam::${account}:user/${userName(subject)}`;
}

/** The ARN of a session. Of a role's name, what stands before the last "/" is its path. */
export function sessionArn({ account, role, name }: Pick<Session, 'account' | 'role' | 'name'>): string {
  return `arn:aws:sts::${account}:assumed-role/${role.slice(role.lastIndexOf('/') + 1)}/${name}`;
}

/** IAM's names have letters, digits and `+=,.@_-`. */
export function userName(subject: string): string {
  return nameOfSubject(subject).replaceAll(/[^\w+=,.@-]/g, '-');
}

/** The role that an ARN names, in the account that it names; null for what is no role's. */
export function readRoleArn(arn: string): { readonly account: string; readonly role: string } | null {
  const match = /^arn:aws[\w-]*:iam::(\d{12}):role\/([\w+=,.@:/-]{1,512})$/.exec(arn);
  return match === null ? null : { account: match[1] ?? '', role: match[2] ?? '' };
}
