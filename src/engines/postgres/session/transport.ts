import { Client } from 'pg';

const THIS_MACHINE = /^(?:\/.*|localhost|127(?:\.\d+){3}|::1)$/i;

/**
 * What the operator should know of how a database URL is connected to; null when what is sent stays on this machine, or goes
 * encrypted to a server whose certificate is checked. The driver says how it reads the URL, so its environment
 * (`PGSSLMODE`, `PGHOST`) counts, too.
 */
export function transportWarning(url: string): string | null {
  const { host, ssl } = new Client({ connectionString: url }) as { host: string; ssl: unknown };
  if (THIS_MACHINE.test(host)) return null;
  if (ssl === false || ssl === undefined || ssl === null) {
    return 'the connection to the database has no TLS: its password and all that is kept can be read and changed on the network. Add sslmode=verify-full to the database URL';
  }
  if (typeof ssl === 'object' && 'rejectUnauthorized' in ssl && ssl.rejectUnauthorized === false) {
    return "the certificate of the database is not checked: whoever is on the network can pose as the database. Use sslmode=verify-full in the database URL, and sslrootcert=FILE if the database's authority is your own";
  }
  return null;
}
