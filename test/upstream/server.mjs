import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const START_MS_MAX = 60_000;
const ADMIN = { id: 'SHUPSTREAMADMIN2', secret: 'upstreamupstreamupstreamupstream0123' };

/**
 * Starts a server with an empty data directory on a free port of this machine.
 * @param flags more flags of `serve`
 */
export async function startServer(flags = []) {
  const data = mkdtempSync(join(tmpdir(), 'upstream-data-'));
  const port = await freePort();
  const always = ['--s3-delete-versions', '--request-rate=0', '--log-level=error'];
  const env = { ...process.env, STATEHOUSE_ADMIN_CREDENTIAL: `${ADMIN.id}.${ADMIN.secret}` };
  const at = ['serve', `--listen=127.0.0.1:${port}`, `--data=${data}`];
  const child = spawn(process.execPath, [MAIN, ...at, ...always, ...flags], { env });
  let said = '';
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the server did not start:\n${said}`)), START_MS_MAX);
    const hear = (chunk) => {
      said += chunk;
      if (!said.includes('is running at')) return;
      clearTimeout(late);
      resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
  });
  const scheme = flags.some((flag) => flag.startsWith('--tls')) ? 'https' : 'http';
  const url = `${scheme}://127.0.0.1:${port}`;
  return {
    url,
    port,
    admin: ADMIN,
    /** What clients have to trust, where it was started with `--tls-self-signed`. */
    certificate: join(data, 'tls-cert.pem'),
    /** Makes a credential that may do no more than the grants say. */
    credential(name, grants) {
      const asked = [
        'credential',
        'create',
        name,
        '--json',
        ...grants.flatMap((grant) => ['--grant', grant]),
      ];
      const as = { STATEHOUSE_SERVER: url, STATEHOUSE_CREDENTIAL: `${ADMIN.id}.${ADMIN.secret}` };
      const text = execFileSync(process.execPath, [MAIN, ...asked], { env: { ...process.env, ...as } });
      const { id, secret } = JSON.parse(text);
      return { id, secret };
    },
    async stop() {
      const end = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await end;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
