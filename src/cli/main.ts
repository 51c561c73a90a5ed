#!/usr/bin/env node
import { readVersion } from '../server/version.ts';
import { keepCompiled } from './compile-cache.ts';

const words = process.argv.slice(2);
if (words[0] === '--version' || words[0] === '-V' || words[0] === 'version') {
  process.stdout.write(`${readVersion()}\n`);
} else {
  keepCompiled(process.env);
  // Traces name the sources then. It takes time, so it is not for everybody.
  if (process.env['STATEHOUSE_DEBUG'] === '1') process.setSourceMapsEnabled(true);
  void main();
}

async function main(): Promise<void> {
  const { runCommandLine } = await import('./run.ts');
  const stop = new AbortController();
  let patient = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The first one asks the command to end well; who insists is obeyed.
      if (stop.signal.aborted && !patient) process.exit(signal === 'SIGINT' ? 130 : 143);
      stop.abort(signal);
    });
  }
  process.stdout.on('error', (fault: NodeJS.ErrnoException) => {
    // The reader has seen enough (`statehouse … | head`).
    if (fault.code === 'EPIPE') process.exit(0);
    throw fault;
  });
  process.exitCode = await runCommandLine(words, {
    streams: { input: process.stdin, output: process.stdout, errors: process.stderr },
    env: process.env,
    cwd: process.cwd(),
    stopped: stop.signal,
    bePatient: () => (patient = true),
  });
}
