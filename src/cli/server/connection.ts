import { readFileSync } from 'node:fs';
import { DEFAULT_LISTEN, SETTINGS } from '../../server/settings.ts';
import { Failure, wrongUse } from '../failure.ts';
import type { OptionSpec } from '../options.ts';
import { flag, text, textOr } from '../options.ts';
import { secretOf } from './secret-option.ts';

/** A credential's id and secret. */
export interface Pair {
  readonly id: string;
  readonly secret: string;
}

/** How to reach a running house. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly credential: Pair | null;
  /** The certificate to trust besides the usual ones, in PEM, and the file it came from. */
  readonly ca: { readonly path: string; readonly pem: string } | null;
  readonly insecure: boolean;
}

/** The options of every command that asks a running house. */
export const CONNECTION_OPTIONS: {
  readonly server: OptionSpec<string>;
  readonly credential: OptionSpec<string | undefined>;
  readonly credentialFile: OptionSpec<string | undefined>;
  readonly exposedSecrets: OptionSpec<boolean>;
  readonly ca: OptionSpec<string | undefined>;
  readonly insecure: OptionSpec<boolean>;
} = {
  server: textOr(`http://${DEFAULT_LISTEN}`, 'URL', 'the server to ask'),
  credential: text('ID.SECRET', 'the credential to use', { isSecret: () => true }),
  credentialFile: text('FILE', 'read that credential from this file'),
  exposedSecrets: flag(SETTINGS.exposedSecrets.help),
  ca: text('FILE', 'trust this certificate (PEM), for example a self-signed one'),
  insecure: flag('do not verify the certificate of the server', { environment: false }),
};

/** Reads the connection options. */
export function readConnection(given: {
  readonly server: string;
  readonly credential: string | undefined;
  readonly credentialFile: string | undefined;
  readonly exposedSecrets: boolean;
  readonly ca: string | undefined;
  readonly insecure: boolean;
}): Connection {
  const { ca } = given;
  const credential = secretOf('credential', { text: given.credential, file: given.credentialFile }, given);
  return {
    url: readUrl(given.server),
    credential: credential === undefined ? null : readPair(credential),
    ca: ca === undefined ? null : { path: ca, pem: readCertificate(ca) },
    insecure: given.insecure,
  };
}

function readUrl(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw wrongUse(`--server: invalid URL "${server}"`, 'Expected for example http://127.0.0.1:7117.');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function readPair(credential: string): Pair {
  const dot = credential.indexOf('.');
  if (dot < 1 || dot === credential.length - 1) {
    throw wrongUse('invalid credential: expected ID.SECRET', 'Both parts were shown when it was created.');
  }
  return { id: credential.slice(0, dot), secret: credential.slice(dot + 1) };
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure(`--ca: ${path} cannot be read: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
}
