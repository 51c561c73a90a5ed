import { describe, expect, it } from 'vitest';
import { nameOfSubject, SUBJECT_KINDS, subjectOf } from '../../src/core/subject.ts';

describe('a subject', () => {
  it.each(SUBJECT_KINDS)('of kind %s says its kind, and gives its name again', (kind) => {
    for (const name of ['ci-prod', 'repo:org/app', 'token:x']) {
      expect(subjectOf(kind, name)).toBe(`${kind}:${name}`);
      expect(nameOfSubject(subjectOf(kind, name))).toBe(name);
    }
  });

  it('of a kind that is not known is a name as a whole', () => {
    expect(nameOfSubject('stranger:x')).toBe('stranger:x');
    expect(nameOfSubject('tokens:x')).toBe('tokens:x');
  });
});
