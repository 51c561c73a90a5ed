import { randomBytes } from 'node:crypto';
import { visible } from '../core/visible.ts';
import type { Environment } from '../ports/environment.ts';
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { createColors } from 'picocolors';
import { stringify } from 'lossless-json';
import { wrongUse } from './failure.ts';
import { formatTable } from './table.ts';

const STYLES = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const;

/** Marks a text as coloured; a terminal that prints it turns the marks into codes. */
export type Colors = Readonly<Record<(typeof STYLES)[number], (text: string) => string>>;

export interface TerminalStreams {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly errors: Writable & { readonly isTTY?: boolean; readonly columns?: number };
}

/**
 * Where a command speaks: results on stdout, everything else on stderr. Much of it was written by others, who must not steer
 * the terminal or forge lines: whatever a line cannot show is escaped here, line ends too.
 */
export interface Terminal {
  /** The user wants one JSON document on stdout, and nothing else there. */
  readonly json: boolean;
  /** Colours for stdout; they do nothing when it is not a terminal. */
  readonly colors: Colors;
  /** Whether stderr is a terminal, so that a line that changes can be shown there. */
  readonly live: boolean;
  /** Whether stdout is a terminal, so that what is said there is kept in no log and no file. */
  readonly onScreen: boolean;
  /** Whether someone sits there who can answer. */
  readonly interactive: boolean;
  /** A line of the result, or several. */
  say(line?: string | readonly string[]): void;
  /** A line beside the result: progress, hints, warnings. */
  note(line: string): void;
  /** The result as it is, bytes or text, without a line end of our own, and with nothing escaped. */
  write(content: Uint8Array | string): Promise<void>;
  /** Rows under headings. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  /** The result under `--json`: indented, numbers beyond 2^53 and lossless ones in full. */
  result(value: unknown): void;
  /** Shows a line that the next one replaces; only on a terminal. An empty text takes it away. */
  status(line: string): void;
  /** Asks for "yes"; every other answer refuses. Fails where the input is not a terminal, and names the flag to give instead. */
  confirm(question: string, instead: string): Promise<boolean>;
}

/** Makes the terminal of one run. */
export function openTerminal(streams: TerminalStreams, env: Environment, json: boolean): Terminal {
  const { input, output, errors } = streams;
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  const live = errors.isTTY === true && !json;
  let shown = false;
  const clear = (): void => {
    if (shown) errors.write('\r\u001b[K');
    shown = false;
  };
  const { colors, dress } = openColors(output.isTTY === true && !plain && !json);
  const print = (lines: readonly string[]): void => {
    clear();
    output.write(lines.map((line) => `${dress(visible(line))}\n`).join(''));
  };
  return {
    json,
    colors,
    live,
    onScreen: output.isTTY === true && !json,
    interactive: input.isTTY === true && errors.isTTY === true,
    say: (line = '') => print(typeof line === 'string' ? [line] : line),
    note: (line) => {
      clear();
      errors.write(`${dress(visible(line))}\n`);
    },
    write: async (content) => {
      clear();
      await new Promise<void>((resolve, reject) => {
        output.write(content, (fault) => (fault ? reject(fault) : resolve()));
      });
    },
    table: (headings, rows) => print(formatTable(headings, rows)),
    // The line ends of a document are ours: those in its texts are escaped already.
    result: (value) => print((stringify(value, undefined, 2) ?? 'null').split('\n')),
    status: (line) => {
      if (!live) return;
      clear();
      if (line === '') return;
      errors.write(fitted(visible(line), (errors.columns ?? 80) - 1));
      shown = true;
    },
    confirm: async (question, instead) => {
      clear();
      if (input.isTTY !== true)
        throw wrongUse(
          'the standard input is not a terminal, so this cannot be confirmed',
          `Pass ${instead}.`,
        );
      const asked = createInterface({ input, output: errors });
      // Ctrl-C and Ctrl-D close it without an answer.
      const closed = once(asked, 'close').then(() => '');
      try {
        const answer = asked.question(`${visible(question)}\nOnly 'yes' will be accepted: `);
        return (await Promise.race([answer, closed])).trim() === 'yes';
      } finally {
        asked.close();
      }
    },
  };
}

function fitted(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`;
}

/** Colours that no text of others can use: they are marked by a random word until a line is printed. */
function openColors(on: boolean): { readonly colors: Colors; readonly dress: (text: string) => string } {
  const painted = createColors(on);
  const word = randomBytes(12).toString('hex');
  const codes: string[] = [];
  const mark = (code: string): string => (on ? `<${word}:${codes.push(code) - 1}>` : '');
  const styles = STYLES.map((name) => {
    const [open = '', close = ''] = painted[name]('|').split('|').map(mark);
    return [name, (text: string): string => `${open}${text}${close}`] as const;
  });
  const marks = new RegExp(`<${word}:(\\d+)>`, 'g');
  return {
    colors: Object.fromEntries(styles) as Colors,
    dress: (text) => text.replace(marks, (_, index: string) => codes[Number(index)] ?? ''),
  };
}
