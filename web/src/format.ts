const COUNT = new Intl.NumberFormat('en');
const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A count as people read it: `12,480`. */
export function countText(count: number): string {
  return COUNT.format(count);
}

/** `1 lock`, `2 locks`. @param plural where it is not the singular with an "s" */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${countText(count)} ${count === 1 ? singular : plural}`;
}

/** Bytes as people read them, in powers of 1,000: `14.2 kB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${SIZES[unit] ?? 'B'}`;
}

/** A length of time in its two largest units: `3m 12s`, `2h 5m`, `4d 1h`; `0.4s` below a second. @param ms milliseconds */
export function durationText(ms: number): string {
  if (ms <= 0) return '0s';
  if (ms < 950) return `${(Math.ceil(ms / 100) / 10).toFixed(1)}s`;
  if (ms < MINUTE - 500) return `${Math.round(ms / SECOND)}s`;
  const seconds = Math.round(ms / SECOND) * SECOND;
  if (seconds < HOUR) return pair(seconds, MINUTE, 'm', SECOND, 's');
  if (seconds < DAY) return pair(seconds, HOUR, 'h', MINUTE, 'm');
  return pair(seconds, DAY, 'd', HOUR, 'h');
}

/** How long ago, in one unit: `just now`, `5 min ago`, `3 h ago`, `12 days ago`. @param ms milliseconds */
export function agoText(ms: number): string {
  if (ms < 10 * SECOND) return 'just now';
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s ago`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  const days = Math.floor(ms / DAY);
  return days === 1 ? 'yesterday' : `${countText(days)} days ago`;
}

/** What people call an operation that Terraform names `OperationTypeApply`. */
export function operationText(operation: string): string {
  return operation.replace(/^OperationType/, '').toLowerCase() || 'unknown';
}

function pair(ms: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const first = Math.floor(ms / large);
  const rest = Math.floor((ms % large) / small);
  return rest === 0 ? `${first}${largeUnit}` : `${first}${largeUnit} ${rest}${smallUnit}`;
}
