// HCP's clients send an API token as Bearer: here it is `id.secret`.
export { authenticate } from '../../authenticate.ts';
