import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommandLine } from '../../src/cli/run.ts';

/** Runs one command line inside this process, as from a script: nobody is there to answer, unless an answer is given. */
export async function runStatehouse(
  words: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    /** What somebody at a terminal says when asked. */
    readonly answer?: string;
  } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  const input = Object.assign(new PassThrough(), { isTTY: options.answer !== undefined });
  input.end(`${options.answer ?? ''}\n`);
  const read = Promise.all([text(output), text(errors)]);
  const code = await runCommandLine(words, {
    streams: { input, output, errors },
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    stopped: new AbortController().signal,
  });
  output.end();
  errors.end();
  const [out, err] = await read;
  return { code, out, err };
}
