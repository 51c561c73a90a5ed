import { visible } from '../../../core/visible.ts';
import { formatAddress, type Address } from '../../../core/address.ts';
import type { Instant } from '../../../core/instant.ts';
import { formatLockInfo } from '../../../core/lock-info.ts';
import { placeInWords, whereToLook, type LinePlace } from '../../../core/lock-words.ts';
import type { DoorReply } from '../../door.ts';
import { holdingInWords, lockInfoOf, whereKept, type Holding, type Refusal } from '../../explain.ts';
import type { ErrorWord } from '../../../api/error.ts';
import { problemReply, type Problem } from '../../wire/problem.ts';
import { refusalProblem } from '../../wire/refusal.ts';
import type { Operation, Undetected } from './detect.ts';

/** The answer to a request that has no row in the table, or an address that is none. */
export function undetected({ status, problem, allow }: Undetected): DoorReply {
  const error = status === 405 ? 'method' : 'address';
  const reply = problemReply('unknown', error, { status, message: problem });
  return allow === undefined ? reply : { ...reply, headers: { ...reply.headers, allow } };
}

/** A body that is not what its operation needs. */
export function badRequest(operation: Operation, message: string): DoorReply {
  return problemReply(operation, 'bad-request', { status: 400, message });
}

/** What is known of whoever asks for a lock. */
interface Asking {
  readonly readsIdAlone?: boolean;
  readonly own?: string;
  readonly page?: string | null;
}

/**
 * A refusal as this door answers it: where somebody holds the lock, with the holder's lock info.
 * @param asking `readsIdAlone` as {@link readsIdAlone} says of the client; `own` what to do if the holder is the asker's own run;
 *   `page` where to look at the lock and its line
 */
export function refused(
  operation: Operation,
  address: Address,
  refusal: Refusal,
  { readsIdAlone = false, own = '', page = null }: Asking = {},
): DoorReply {
  const problem = refusalProblem(address, refusal);
  if (operation === 'lock' && refusal.type === 'frozen') {
    const { by, since } = refusal;
    return wordsInLock(problem, { error: 'frozen', operation: 'freeze', who: by, since });
  }
  if (operation === 'lock' && refusal.type === 'over-quota') {
    const who = `project ${refusal.project}`;
    return wordsInLock(problem, { error: 'over-quota', operation: 'quota', who });
  }
  if (operation === 'lock' && refusal.type === 'unannounced') {
    return wordsInLock(problem, { error: 'unannounced', operation: 'guard', who: '', since: refusal.at });
  }
  if (refusal.type !== 'held' && refusal.type !== 'fenced') {
    return problemReply(operation, refusal.type, problem);
  }
  const place = refusal.type === 'held' ? refusal : NO_PLACE;
  const kept = whereKept(refusal).replace(/^\. /, '');
  const text = readsIdAlone
    ? textInId(address, refusal, place, { own, page })
    : lockText(refusal, place, kept, own, whereToLook(page));
  // Clients look for a lock info in a 423.
  if (text === null) return problemReply(operation, refusal.type, { ...problem, status: 409 });
  return lockReply(operation, LOCKED, text);
}

/**
 * Clients of a lock request look for a lock info in a 423. Terraform up to 1.14 prints its ID alone, with the words after it;
 * later ones and OpenTofu print the whole.
 */
function wordsInLock(
  { message, facts }: Problem,
  { error, operation, who, since = 0 }: WordsInLock,
): DoorReply {
  const body = {
    error,
    message,
    ...facts,
    ID: `${error}\n${message}`,
    Operation: operation,
    Info: message,
    Who: visible(who),
    Version: '',
    Created: new Date(since).toISOString(),
    Path: '',
  };
  return lockReply('lock', LOCKED, JSON.stringify(body));
}

/** The status in which Terraform's client looks for a lock info. */
const LOCKED = 423;

/** A refusal of the lock by nobody who holds it. */
interface WordsInLock {
  readonly error: ErrorWord;
  readonly operation: string;
  readonly who: string;
  readonly since?: Instant;
}

/**
 * How a push goes home under the lock that a run of the same credential left behind: nothing in its request tells it from a
 * push beside a run that lives, so the lock must be named. Empty for any other request.
 */
export function pushUnderOwn(refusal: Refusal, operation: string, subject: string): string {
  const [holder] = refusal.type === 'held' ? refusal.holders : [];
  if (operation !== 'state-push' || holder?.subject !== subject) return '';
  return `statehouse exec --lock ${visible(holder.lockId)} -- terraform state push errored.tfstate`;
}

const NO_PLACE: LinePlace = { position: null, waiting: 0 };

/** An answer that is a lock info. */
export function lockReply(operation: Operation, status: number, text: string): DoorReply {
  return { operation, status, headers: { 'content-type': 'application/json' }, body: Buffer.from(text) };
}

/**
 * Whether a client prints nothing of a 423 but the ID, and its own lock info as if it were the holder's: Terraform before 1.15
 * (`internal/backend/remote-state/http/client.go`). OpenTofu cannot be told from it by what it sends.
 * @param version what its lock info says
 */
export function readsIdAlone(userAgent: string | undefined, version: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? [];
  const old = major === '0' || (major === '1' && Number(minor) < 15);
  return old && userAgent?.startsWith('Go-http-client/') === true;
}

/**
 * The first holder's lock info, as every version of the client decodes it, with what a person wants to know in `Info`.
 * @returns null where nobody holds the lock
 */
export function lockText(holding: Holding, place: LinePlace, ...more: readonly string[]): string | null {
  return writeLock(holding, '', [holdingInWords(holding), placeInWords(place), ...more]);
}

/** The same for those who read the ID alone: what a person wants to know stands below it, on lines of its own. */
function textInId(
  address: Address,
  holding: Holding,
  place: LinePlace,
  { own, page }: Required<Pick<Asking, 'own' | 'page'>>,
): string | null {
  const lines = [
    holdingInWords(holding),
    placeInWords(place),
    whereToLook(page),
    'to wait in line: -lock-timeout=10m; if its holder is dead:',
    // Terraform wraps no line that begins with a space, so the command can be copied.
    `  statehouse force-unlock ${visible(formatAddress(address))}`,
    ...(own === '' ? [] : ['if that is your own run, which could not write its state:', `  ${own}`]),
    "(Terraform before 1.15 prints your own request's lock info below)",
  ];
  const below = lines.filter((line) => line !== '').map((line) => `\n${line}`);
  return writeLock(holding, below.join(''), lines.slice(0, 3));
}

function writeLock(holding: Holding, below: string, facts: readonly string[]): string | null {
  const [holder] = holding.holders;
  if (holder === undefined) return null;
  const lock = lockInfoOf(holder);
  // It is printed on the terminal of another person; the ID is what that person must be able to name.
  return formatLockInfo({
    id: `${lock.id}${below}`,
    operation: visible(lock.operation),
    info: facts.filter((fact) => fact !== '').join('; '),
    who: visible(lock.who),
    version: visible(lock.version),
    created: lock.created,
    path: visible(lock.path),
  });
}
