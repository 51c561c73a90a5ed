/** Where a request came from, as far as it is known. */
export interface Origin {
  /** The id of the credential that was presented. */
  readonly credential?: string;
  /** The network address. */
  readonly peer?: string;
  /** The request, as its answer names it. */
  readonly requestId?: string;
  /** The program, as it names itself. */
  readonly userAgent?: string;
  /** The request was signed beforehand, as a URL that anybody may use who has it. */
  readonly presigned?: true;
}

/** What a request says of itself, before it is made fit to be kept. */
type Known = { readonly [K in Exclude<keyof Origin, 'presigned'>]: string | undefined };

/** What is longer is cut. */
const TEXT_LENGTH_MAX = 200;

/** Controls, what turns the direction of text, and halves of characters: what must not reach a log or a terminal as it is. */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- to be found so that they can be escaped
  /[\\\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** An origin of what is known: nothing in it is longer than 200 characters, and control characters are escaped as `\u001b`. */
export function originOf(known: Partial<Known>): Origin {
  const origin: { -readonly [K in keyof Known]?: string } = {};
  for (const key of ['credential', 'peer', 'requestId', 'userAgent'] as const) {
    const text = known[key];
    if (text !== undefined && text !== '') origin[key] = tame(text);
  }
  return origin;
}

function tame(text: string): string {
  const safe = text.slice(0, TEXT_LENGTH_MAX).replace(UNSAFE, escape);
  return safe.length > TEXT_LENGTH_MAX ? safe.slice(0, TEXT_LENGTH_MAX) : safe;
}

function escape(unit: string): string {
  return unit === '\\' ? '\\\\' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
