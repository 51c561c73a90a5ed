import { BackendFault } from '../../../ports/state-client.ts';
import type { Reply } from '../../exchange.ts';
import type { GcsConfig } from './config.ts';
import { fieldOf, parseJson, textOf } from '../../wire/json-value.ts';

/** More of an error's words is not shown. */
const MESSAGE_LENGTH_MAX = 2_000;

/** What a server says in an error: in JSON, or in a line of text where bytes were asked for. */
export function messageOf({ body, headers }: Reply): string {
  const json = textOf(fieldOf(parseJson(body), 'error'), 'message');
  const isText = String(headers['content-type'] ?? '').startsWith('text/');
  const text = json ?? (isText ? Buffer.from(body).toString().trim() : '');
  return text.slice(0, MESSAGE_LENGTH_MAX);
}

/** The server's refusal in words that say what to do. */
export function refusal(reply: Reply, what: string, { place, isCustom }: GcsConfig): BackendFault {
  const { status } = reply;
  const message = messageOf(reply);
  const text = `Cloud Storage did not ${what}: HTTP ${status}${message === '' ? '' : `, ${message}`}`;
  if (status === 401) {
    const next = isCustom
      ? 'Check the access token: access_token, or GOOGLE_OAUTH_ACCESS_TOKEN.'
      : 'Check the Google credentials: the token may have ended ("gcloud auth application-default login").';
    return new BackendFault('denied', text, next);
  }
  if (status === 403) {
    const next = 'The account needs storage.objects.get, list, create and delete (roles/storage.objectUser).';
    return new BackendFault('denied', text, isCustom ? '' : next);
  }
  if (status === 404 && /bucket does not exist/i.test(message)) {
    const next = 'Create the bucket, or correct its name.';
    return new BackendFault('missing', `there is no bucket "${place.bucket}"`, next);
  }
  if (status === 409 || status === 412 || status === 413) return new BackendFault('refused', text);
  if (status === 400 && /encryption key|customer-supplied|encrypted/i.test(message)) {
    return new BackendFault('configuration', text, 'Check encryption_key (GOOGLE_ENCRYPTION_KEY).');
  }
  return new BackendFault(status >= 500 || status === 429 || status === 408 ? 'unreachable' : 'other', text);
}
