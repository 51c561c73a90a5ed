import { readDuration } from '../core/duration.ts';
import { isProblem } from '../core/read-value.ts';
import { spec, type OptionSpec } from './options.ts';
import { wrongUse } from './failure.ts';

/** With a zone, a time says what moment it is; a date alone is one in UTC. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** `--since 2h` or `--since 2026-01-31T12:00`: a moment in UTC, as the API takes it. */
export function moment(help: string): OptionSpec<string | undefined> {
  const read = (given: readonly string[]): string | undefined => {
    const last = given.at(-1);
    return last === undefined ? undefined : readMoment(last, Date.now());
  };
  return spec(
    { kind: 'value', placeholder: 'TIME', help: `${help}: 2h, 7d or 2026-01-31T12:00`, read },
    { environment: false },
  );
}

/** @param now what a duration is counted back from */
export function readMoment(text: string, now: number): string {
  const ago = readDuration(text);
  const at = isProblem(ago) ? (TIME.test(text) ? Date.parse(text) : Number.NaN) : now - ago;
  if (Number.isNaN(at))
    throw wrongUse(
      `invalid time "${text}": expected how long ago (2h, 7d), or a time such as 2026-01-31, 2026-01-31T12:00 (local) or 2026-01-31T12:00:00Z`,
    );
  return new Date(at).toISOString();
}

/** A time as the clock on the wall shows it, with its zone: `2026-01-31 13:00:00 +01:00`. */
export function localTime(at: string): string {
  const time = new Date(at);
  const minutes = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  const two = (number: number): string => String(Math.floor(Math.abs(number))).padStart(2, '0');
  return `${local} ${minutes < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
