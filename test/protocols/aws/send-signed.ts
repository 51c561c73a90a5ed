import type { TestHouse } from '../../support/open-test-house.ts';
import { ask, type Answer } from '../../support/request.ts';
import { TEST_ADMIN, type Pair } from '../../support/test-admin.ts';
import { signWithSmithy, type Unsigned } from './request-signers.ts';

/** A request, and what is done to it on its way. */
export interface Sent extends Partial<Unsigned> {
  readonly as?: Pair;
  readonly expiresIn?: number;
  /** Headers that are added, or changed, after it was signed. */
  readonly forged?: Readonly<Record<string, string>>;
  readonly tampered?: (target: string) => string;
  readonly sent?: string | Uint8Array;
}

/** Signs a request as AWS's clients do and sends it, changed on its way where the test says so. */
export async function sendSigned(house: TestHouse, request: Sent): Promise<Answer> {
  const unsigned: Unsigned = {
    method: 'GET',
    host: new URL(house.url).host,
    path: '/',
    query: [],
    headers: {},
    service: 's3',
    region: 'us-east-1',
    body: '',
    date: new Date(),
    ...request,
  };
  const signed = await signWithSmithy(unsigned, request.expiresIn, request.as ?? TEST_ADMIN);
  const headers: Record<string, string> = {};
  for (let index = 0; index < signed.rawHeaders.length; index += 2) {
    headers[(signed.rawHeaders[index] ?? '').toLowerCase()] = signed.rawHeaders[index + 1] ?? '';
  }
  const target = signed.query === '' ? signed.path : `${signed.path}?${signed.query}`;
  return ask(house.url, unsigned.method, (request.tampered ?? ((text) => text))(target), {
    headers: { ...headers, ...request.forged },
    body: request.sent ?? unsigned.body,
    as: null,
  });
}

/** The status of an answer, and the error that it names. */
export const code = ({ status, text }: Answer): string =>
  `${status} ${/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? /#(\w+)"/.exec(text)?.[1] ?? ''}`;
