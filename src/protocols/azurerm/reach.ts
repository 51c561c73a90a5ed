import { lookup } from 'node:dns/promises';
import { connect } from 'node:tls';
import { BackendFault, type Finding } from '../../ports/state-client.ts';
import type { SnippetTarget } from '../backend.ts';
import { isUntrustedCertificate } from '../certificate-fault.ts';
import { exchange, type Reply } from '../exchange.ts';
import { ACCOUNT_NAME, AZURE_PREFIX, BLOB_LABEL, METADATA_PATH, SHARED_ACCOUNT } from './layout.ts';

const CONNECT_MS_MAX = 10_000;
const TRUST = 'Give the certificate that signed it by --ca, and to terraform and tofu by SSL_CERT_FILE.';

/** Whether terraform finds a server through the azurerm backend: by its names, its certificate, and a credential that is an account. */
export async function examineReach(target: SnippetTarget): Promise<readonly Finding[]> {
  const url = new URL(target.url);
  if (url.protocol !== 'https:')
    return [
      problem(
        'https',
        `${url.origin} is not https, and azurerm speaks nothing else`,
        'Start the server with a certificate: --tls-cert and --tls-key, or --tls-self-signed.',
      ),
    ];
  const { id } = target.credential;
  const account = ACCOUNT_NAME.test(id.toLowerCase()) ? id.toLowerCase() : SHARED_ACCOUNT;
  const names = [url.hostname, `${account}.${BLOB_LABEL}.${url.hostname}`];
  const found = await Promise.all(names.map((name) => findName(name)));
  const shown = await Promise.all(names.map((name) => examineCertificate(url, name, target.ca ?? null)));
  return [...found, ...shown, ...(await examineServer(url, target))];
}

async function findName(name: string): Promise<Finding> {
  const host = name.replaceAll(/[[\]]/g, '');
  try {
    const { address } = await lookup(host);
    return good('name', `${name} is ${address}`);
  } catch {
    const next = `Add a record of your name server (*.${BLOB_LABEL}.… serves every account), or a line of /etc/hosts: ADDRESS ${name}`;
    return problem('name', `${name} leads nowhere`, next);
  }
}

/** Asks the server itself, whether or not its name is known, for the certificate that it shows under a name. */
function examineCertificate(url: URL, name: string, ca: string | null): Promise<Finding> {
  const port = url.port === '' ? 443 : Number(url.port);
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  const isName = !/^[\d.]+$|:/.test(name);
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      ...(isName ? { servername: name } : {}),
      ...(ca === null ? {} : { ca }),
    });
    const end = (finding: Finding): void => {
      socket.destroy();
      resolve(finding);
    };
    socket.setTimeout(CONNECT_MS_MAX, () =>
      end(
        problem(
          'certificate',
          `${url.host} does not answer within ${CONNECT_MS_MAX / 1_000} s`,
          'Check the address, and whether the server runs.',
        ),
      ),
    );
    socket.once('secureConnect', () => end(good('certificate', `it is trusted, and for ${name}`)));
    socket.once('error', (fault: NodeJS.ErrnoException) => {
      const code = fault.code ?? '';
      if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
        return end(
          problem(
            'certificate',
            `it is not for ${name}`,
            `Use one for ${url.hostname} and *.${BLOB_LABEL}.${url.hostname}: --tls-self-signed with --domain ${url.hostname} makes such a one.`,
          ),
        );
      if (isUntrustedCertificate(code))
        return end(problem('trust', `the certificate is not trusted: ${code}`, TRUST));
      return end(
        problem(
          'certificate',
          `no answer from ${url.host}: ${code}`,
          'Check the address, and whether the server runs.',
        ),
      );
    });
  });
}

/** Whether what answers is a Statehouse, and whether it knows the credential. */
async function examineServer(url: URL, { credential, ca }: SnippetTarget): Promise<readonly Finding[]> {
  const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
    exchange({
      method: 'GET',
      url: new URL(path, url),
      headers,
      signal: AbortSignal.timeout(CONNECT_MS_MAX),
      tls: ca === undefined ? {} : { ca },
      trust: TRUST,
    });
  try {
    const metadata = await get(METADATA_PATH);
    if (metadata.status !== 200 || !Buffer.from(metadata.body).toString('utf8').includes('"Statehouse"'))
      return [
        problem(
          'server',
          `no Statehouse with this door answers at ${url.host} (${metadata.status})`,
          'Check the address, and the version of the server.',
        ),
      ];
    const { id, secret } = credential;
    const known = await get(`${AZURE_PREFIX}${SHARED_ACCOUNT}?restype=account&comp=properties`, {
      authorization: `Bearer ${id}.${secret}`,
      'x-ms-version': '2023-11-03',
    });
    return [
      good('server', `${url.host} tells azurerm where everything is`),
      known.status === 200
        ? good('credential', `the server knows ${id}`)
        : problem(
            'credential',
            `the server does not know ${id}, or its secret is another (${known.status})`,
            'Give a credential by --credential or STATEHOUSE_CREDENTIAL.',
          ),
      ...(ACCOUNT_NAME.test(id.toLowerCase())
        ? []
        : [
            problem(
              'credential',
              `${id} cannot be the name of an account, which has 3 to 24 letters and digits`,
              'Use "statehouse config azurerm PROJECT/KEY --sas", or another credential.',
            ),
          ]),
    ];
  } catch (fault) {
    if (!(fault instanceof BackendFault)) throw fault;
    return [problem('server', fault.message, fault.next)];
  }
}

function good(topic: string, message: string): Finding {
  return { level: 'good', topic, message, next: '' };
}

function problem(topic: string, message: string, next: string): Finding {
  return { level: 'problem', topic, message, next };
}
