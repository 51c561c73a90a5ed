import type { Identity } from '../../../core/access.ts';
import type { House } from '../../../house/house.ts';
import type { DoorRequest } from '../../door.ts';

/** Longer than any id and secret that the house gives out. */
const AUTHORIZATION_LENGTH_MAX = 1_000;

/** Who asks: by Basic (id and secret) or by Bearer (`id.secret`). null when nobody whom the house knows. */
export async function authenticate(request: DoorRequest, house: House): Promise<Identity | null> {
  const header = request.header('authorization');
  if (header === undefined || header.length > AUTHORIZATION_LENGTH_MAX) return null;
  const space = header.indexOf(' ');
  const scheme = header.slice(0, space).toLowerCase();
  const rest = header.slice(space + 1).trim();
  if (scheme === 'bearer') return house.credentials.authenticateBearer(rest);
  if (scheme !== 'basic') return null;
  const pair = Buffer.from(rest, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  const user = pair.slice(0, Math.max(colon, 0));
  const password = pair.slice(colon + 1);
  const identity = await house.credentials.authenticate(user, password);
  // Some keep one secret per system: any user name, and the whole bearer form as the password.
  return identity ?? house.credentials.authenticateBearer(password);
}
