import { createHash, timingSafeEqual } from 'node:crypto';
import { workspaceText } from '../core/address.ts';
import type { Grant, Identity } from '../core/grant.ts';
import { isAtWork } from '../core/runs/status.ts';
import { subjectOf } from '../core/subject.ts';
import type { Authenticator, Claimed, Presented } from '../house/identity/presented.ts';
import type { Phase } from './records.ts';
import type { Run, RunBook } from './run-book.ts';

const NO_DIGEST = digestOf('');

/**
 * Knows the programs of a run by the token that they were given. It reaches the state of its own workspace alone, writes in the
 * apply alone, and ends with the phase.
 */
export class RunTokens implements Authenticator {
  readonly #book: Pick<RunBook, 'find'>;

  constructor(book: Pick<RunBook, 'find'>) {
    this.#book = book;
  }

  async authenticate(presented: Presented): Promise<Identity | null> {
    const pair = pairOf(presented);
    if (pair === null) return null;
    const run = await this.#book.find(pair.id);
    const digest = run === null || run.job === null || !isAtWork(run) ? null : run.job.digest;
    const isRight = timingSafeEqual(
      Buffer.from(digestOf(pair.secret), 'hex'),
      Buffer.from(digest ?? NO_DIGEST, 'hex'),
    );
    return isRight && digest !== null && run !== null ? identityOf(run, run.job?.phase ?? 'plan') : null;
  }

  /** Whose state was announced under a run's id: while its programs are at work, they may bring it. */
  async claimed(keyId: string): Promise<Claimed | null> {
    const run = keyId.startsWith('run-') ? await this.#book.find(keyId) : null;
    return run === null || run.job === null || !isAtWork(run)
      ? null
      : { identity: identityOf(run, run.job.phase) };
  }
}

/** Who a run's programs are, and who holds its lock. */
export function identityOf({ id, address }: Pick<Run, 'id' | 'address'>, phase: Phase): Identity {
  // Its text names the workspace always: a pattern without one means all of them.
  const pattern = `${address.project}/${address.key}@${workspaceText(address.workspace)}`;
  const grant: Grant = { role: phase === 'apply' ? 'writer' : 'reader', pattern };
  return { subject: subjectOf('run', id), grants: [grant] };
}

/** The digest of a token's secret, as it is kept: lower-case hex. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function pairOf(presented: Presented): { readonly id: string; readonly secret: string } | null {
  if (presented.kind !== 'basic' && presented.kind !== 'bearer') return null;
  const text = presented.kind === 'basic' ? `${presented.user}.${presented.password}` : presented.token;
  const dot = text.indexOf('.');
  return text.startsWith('run-') && dot !== -1 && text.length < 200
    ? { id: text.slice(0, dot), secret: text.slice(dot + 1) }
    : null;
}
