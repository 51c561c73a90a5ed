import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** How the kinds of names are called, best first: what a machine is called by its authority, and then by people. */
const KINDS: readonly (readonly [label: string, kind: string])[] = [
  ['URI', 'uri'],
  ['DNS', 'dns'],
  ['email', 'email'],
];

const known = new WeakMap<Socket, readonly string[]>();

/**
 * The names of a client's certificate, as credentials are named: `cert:uri:…`, `cert:dns:…`, `cert:email:…`, and `cert:cn:…` where
 * it has no others. None for a client without one, or with one that the authority of the configuration did not sign.
 */
export function certificateNames(socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  const read = known.get(socket);
  if (read !== undefined) return read;
  const { subject, subjectaltname = '' } = socket.getPeerCertificate();
  const common: unknown = subject?.CN;
  const names = namesOf(subjectaltname, typeof common === 'string' ? common : '');
  known.set(socket, names);
  return names;
}

/** @param alternative as OpenSSL prints it: `DNS:a, URI:b`; a value with a comma in it is quoted, and then nothing of it is believed */
export function namesOf(alternative: string, common: string): readonly string[] {
  if (alternative.includes('"')) return [];
  const entries = alternative.split(', ').filter((entry) => entry !== '');
  if (entries.length === 0) return common === '' ? [] : [`cert:cn:${common}`];
  return KINDS.flatMap(([label, kind]) =>
    entries
      .filter((entry) => entry.startsWith(`${label}:`))
      .map((entry) => `cert:${kind}:${entry.slice(label.length + 1)}`),
  );
}
