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
/** The operation of `statehouse exec`, whose holder lets the commands it runs write without naming the lock. */
export const OPERATION_EXEC = 'statehouse-exec';

/** Real lock infos have about 200 bytes; DynamoDB items end at 400 kB. */
export const LOCK_INFO_BYTES_MAX: number = 64 * 1024;

/** Go's zero time, which OpenTofu's force-unlock sends. */
export const GO_ZERO_TIME = '0001-01-01T00:00:00Z';

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

type Parsed = { readonly info: LockInfo } | { readonly problem: string };

/**
 * Reads a lock info the way Go's decoder does: keys in any case, the last of two wins, unknown keys ignored, absent ones
 * empty. An `ID` is required, because without one nobody could release the lock.
 */
export function parseLockInfo(bytes: Uint8Array): Parsed {
  if (bytes.length > LOCK_INFO_BYTES_MAX) {
    return { problem: `a lock info has at most ${LOCK_INFO_BYTES_MAX} bytes` };
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8').decode(bytes));
  } catch {
    return { problem: 'the lock info is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { problem: 'the lock info is not a JSON object' };
  }
  const fields = new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
  const texts: Record<string, string> = {};
  for (const name of ['id', 'operation', 'info', 'who', 'version', 'created', 'path']) {
    const field: unknown = fields.get(name) ?? '';
    if (typeof field !== 'string') return { problem: `the lock info's ${name} is not a string` };
    texts[name] = field;
  }
  const { id = '', operation = '', info = '', who = '', version = '', path = '' } = texts;
  const created = texts['created'] === '' ? GO_ZERO_TIME : (texts['created'] ?? GO_ZERO_TIME);
  if (id === '') return { problem: 'the lock info has no ID' };
  if (!RFC3339.test(created)) return { problem: "the lock info's Created is not an RFC 3339 time" };
  return { info: { id, operation, info, who, version, created, path } };
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
