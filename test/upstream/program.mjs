import { spawn } from 'node:child_process';

/** What would have a client trust others than the server, or ask them. */
export const WITHOUT = [
  'AWS_CA_BUNDLE',
  'SSL_CERT_DIR',
  'AWS_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_ENDPOINT_URL',
];

/** Runs a program to its end, at most for a while. @returns what it printed on standard output, and its exit code */
export function run(program, args, { cwd, env = {}, minutes = 30, without = [], quiet = false }) {
  const inherited = Object.entries(process.env).filter(([name]) => !without.includes(name));
  const all = { ...Object.fromEntries(inherited), ...env };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: all,
      stdio: ['ignore', 'pipe', quiet ? 'pipe' : 'inherit'],
    });
    const late = setTimeout(() => child.kill('SIGKILL'), minutes * 60_000);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (!quiet) process.stderr.write(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(late);
      resolve({ output, code });
    });
  });
}
