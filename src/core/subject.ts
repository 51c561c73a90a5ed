/** What subjects begin with: the kind of credential that an identity was proven by, or the house when it acts for itself. */
export const SUBJECT_KINDS = ['token', 'oidc', 'house', 'run'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** The subject of a name, as locks, versions and the audit log call it: `token:ci-prod`. */
export function subjectOf(kind: SubjectKind, name: string): string {
  return `${kind}:${name}`;
}

/** The name in a subject, without its kind. */
export function nameOfSubject(subject: string): string {
  const kind = SUBJECT_KINDS.find((known) => subject.startsWith(`${known}:`));
  return kind === undefined ? subject : subject.slice(kind.length + 1);
}
