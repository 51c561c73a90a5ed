import { SEND_MS, type AuditDevice } from './device.ts';

/** A collector that takes JSON lines by POST. Taken means that it answered with 2xx. */
export class HttpDevice implements AuditDevice {
  readonly name: string;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param url may have a user and a password, which are sent as Basic authentication and shown nowhere */
  constructor(url: URL) {
    const { username, password } = url;
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    this.#url = bare.href;
    this.name = `${bare.protocol}//${bare.host}${bare.pathname}`;
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#headers = {
      'content-type': 'application/x-ndjson',
      ...(pair === ':' ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }),
    };
  }

  async send(lines: readonly string[]): Promise<void> {
    const answer = await fetch(this.#url, {
      method: 'POST',
      headers: this.#headers,
      body: lines.map((line) => `${line}\n`).join(''),
      redirect: 'error',
      signal: AbortSignal.timeout(SEND_MS),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`it answered with ${answer.status}`);
  }

  async reopen(): Promise<void> {}

  async close(): Promise<void> {}
}
