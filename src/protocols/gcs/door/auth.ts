// Google's clients send an access token as Bearer (GOOGLE_OAUTH_ACCESS_TOKEN): here it is `id.secret`.
export { authenticate } from '../../authenticate.ts';
