import { createHmac } from 'node:crypto';

/** From this version on an encryption scope is part of what is signed. */
const VERSION_WITH_SCOPE = '2020-12-06';

/** The value of a field of a shared access signature; empty where it has none. */
export type SasField = (name: string) => string;

/** What an account's signature is made of (Azure, "Create an account SAS"). */
export function accountSasText(account: string, field: SasField): string {
  const names = ['sp', 'ss', 'srt', 'st', 'se', 'sip', 'spr', 'sv'];
  const scope = field('sv') >= VERSION_WITH_SCOPE ? ['ses'] : [];
  return [account, ...[...names, ...scope].map(field), ''].join('\n');
}

/** What a container's or a blob's signature is made of (Azure, "Create a service SAS"). @param resource `/blob/ACCOUNT/CONTAINER` */
export function serviceSasText(resource: string, field: SasField): string {
  const fields = (...names: string[]): string[] => names.map(field);
  const scope = field('sv') >= VERSION_WITH_SCOPE ? ['ses'] : [];
  return [
    ...fields('sp', 'st', 'se'),
    resource,
    ...fields('si', 'sip', 'spr', 'sv', 'sr', 'snapshot', ...scope),
    ...fields('rscc', 'rscd', 'rsce', 'rscl', 'rsct'),
  ].join('\n');
}

/** The HMAC-SHA256 of a text under an account's key. @param key in base64 */
export function signatureOf(key: string, text: string): Buffer {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest();
}
