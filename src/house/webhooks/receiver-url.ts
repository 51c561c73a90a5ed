const URL_LENGTH_MAX = 2_000;
/** Where clouds tell a machine its own credentials: no receiver is there, and much to be stolen. */
const LINK_LOCAL =
  /^(?:169\.254\.|\[fe[89ab][0-9a-f]:|\[fd00:ec2::254\]$|\[::ffff:a9fe:|metadata\.google\.internal$)/;

/** Why a receiver cannot be at a URL; null if it can. The URL is not repeated, because it may have a secret in it. */
export function urlProblem(url: string): string | null {
  if (url.length > URL_LENGTH_MAX)
    return `the URL is too long: expected at most ${URL_LENGTH_MAX} characters`;
  if (!URL.canParse(url)) return 'invalid URL: expected https://…';
  const { protocol, username, password, hostname } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return 'invalid URL: expected https://… or http://…';
  if (username !== '' || password !== '')
    return 'invalid URL: a user and a password are not supported there; what is sent is signed with the secret';
  if (LINK_LOCAL.test(hostname)) return 'invalid URL: link-local addresses are not allowed';
  return null;
}
