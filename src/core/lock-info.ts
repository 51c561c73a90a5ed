import { hasUnseen, visible } from './visible.ts';

/**
 * Terraform's lock info, as `internal/states/statemgr/locker.go` defines it.
 * The bytes that a client sent are kept beside it by whoever needs them: this is only what they say.
 */
export interface LockInfo {
  readonly id: string;
  readonly operation: string;
  readonly info: string;
  readonly who: string;
  readonly version: string;
  /** RFC 3339, with up to nine fractional digits, as the client wrote it. */
  readonly created: string;
  readonly path: string;
}

/** The operation of `terraform plan`, which takes the lock but never writes the state. */
export const OPERATION_PLAN = 'OperationTypePlan';
/** The operation of `statehouse lock`. */
export const OPERATION_LOCK = 'statehouse-lock';
/** The operation of `statehouse exec` whose commands say, in a way of their own, that they run under it: see `lent-lock.ts`. */
export const OPERATION_EXEC_CLAIMED = 'statehouse-exec-claimed';
/** The operation of `statehouse exec` whose commands cannot: whatever its subject writes without naming a lock is let in. */
export const OPERATION_EXEC = 'statehouse-exec';

/** What is read as a lock info, wherever it is kept: DynamoDB items end at 400 kB. */
export const LOCK_INFO_BYTES_MAX: number = 64 * 1024;
/** What is taken as one when somebody asks for the lock: real ones have about 300 bytes, and a line has thousands of them. */
export const LOCK_INFO_TAKEN_BYTES_MAX: number = 4 * 1024;

/** Go's zero time, which OpenTofu's force-unlock sends. */
export const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

/** Go takes an hour of one digit, and a comma before the fraction. */
const RFC3339 =
  /^(\d{4})-(0[1-9]|1[0-2])-(\d\d)T(?:[01]?\d|2[0-3]):[0-5]\d:[0-5]\d(?:[.,]\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

const EMPTY: LockInfo = {
  id: '',
  operation: '',
  info: '',
  who: '',
  version: '',
  created: GO_ZERO_TIME,
  path: '',
};
const NAMES = Object.keys(EMPTY) as readonly (keyof LockInfo)[];

type Parsed = { readonly info: LockInfo } | { readonly problem: string };

/**
 * Reads a lock info the way Go's decoder does: keys in any case, the last of two wins, unknown keys ignored, absent ones
 * empty. An `ID` is required, because without one nobody could release the lock.
 */
export function parseLockInfo(bytes: Uint8Array): Parsed {
  if (bytes.length > LOCK_INFO_BYTES_MAX) {
    return { problem: `the lock info is too large: expected at most ${LOCK_INFO_BYTES_MAX} bytes` };
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  } catch {
    return { problem: 'the lock info is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'the lock info is not a JSON object' };
  }
  const fields = new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
  const info: Record<keyof LockInfo, string> = { ...EMPTY };
  for (const name of NAMES) {
    const field: unknown = fields.get(name) ?? EMPTY[name];
    if (typeof field !== 'string') return { problem: `the lock info's ${name} is not a string` };
    info[name] = field.replaceAll(/\p{Surrogate}/gu, '\ufffd');
  }
  if (info.id === '') return { problem: 'the lock info has no ID' };
  if (!isTime(info.created)) return { problem: "the lock info's Created is not an RFC 3339 time" };
  return { info };
}

/**
 * Reads the lock info of who asks for a lock. Its ID is shown to others and typed by them, so it has nothing in it that cannot be
 * seen; a lock that is held already, under whatever ID, can be read and released all the same.
 */
export function parseLockRequest(bytes: Uint8Array): Parsed {
  const parsed = parseLockInfo(bytes);
  if ('problem' in parsed || !hasUnseen(parsed.info.id)) return parsed;
  return {
    problem: `invalid lock ID "${visible(parsed.info.id)}": expected no control characters and none that cannot be seen`,
  };
}

/**
 * Writes a lock info exactly as Go's `json.Marshal` does: seven keys in order, no spaces, `<>&` and the two line
 * separators escaped. OpenTofu compares this text when it releases a DynamoDB lock.
 */
export function formatLockInfo(lock: LockInfo): string {
  const text = JSON.stringify({
    ID: lock.id,
    Operation: lock.operation,
    Info: lock.info,
    Who: lock.who,
    Version: lock.version,
    Created: lock.created,
    Path: lock.path,
  });
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go takes no day that the calendar does not have. */
function isTime(text: string): boolean {
  const [, year, month, day] = (RFC3339.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  // Leap years come again every 400 years, and years below 100 mean others to `Date`.
  const days = new Date(Date.UTC(2_000 + (year % 400), month, 0)).getUTCDate();
  return day >= 1 && day <= days;
}
