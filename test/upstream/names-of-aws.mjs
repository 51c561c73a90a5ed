import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Regions that the suites name. */
const REGIONS = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1'];

/** A certificate for the names under which AWS is reached, by an authority that only a suite's process is told to trust. */
export function certificateForAws() {
  const folder = mkdtempSync(join(tmpdir(), 'upstream-names-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const names = [
    'iam.amazonaws.com',
    'sts.amazonaws.com',
    's3.amazonaws.com',
    '*.s3.amazonaws.com',
    ...REGIONS.flatMap((region) =>
      ['s3', '*.s3', 'dynamodb', 'sts'].map((service) => `${service}.${region}.amazonaws.com`),
    ),
  ];
  const settings = join(folder, 'openssl.cnf');
  writeFileSync(
    settings,
    `[req]\ndistinguished_name = name\nx509_extensions = names\nprompt = no\n[name]\nCN = upstream\n[names]\nbasicConstraints = critical, CA:true\nsubjectAltName = ${names.map((name) => `DNS:${name}`).join(', ')}\n`,
  );
  const asked = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout ${key} -out ${certificate} -config ${settings}`;
  execFileSync('openssl', asked.split(' '), { stdio: 'ignore' });
  return { key, certificate };
}

/**
 * A proxy that brings every connection to the server on this machine, whatever host it is asked for: tests that name AWS's own
 * hosts reach the server and nothing else.
 * @param port the server's, with TLS
 */
export async function proxyTo(port) {
  const proxy = createServer((_request, response) => response.writeHead(502).end());
  proxy.on('connect', (_request, client, head) => {
    const server = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.write(head);
      client.pipe(server).pipe(client);
    });
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
    client.on('close', () => server.destroy());
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${proxy.address().port}`, close: () => proxy.close() };
}
