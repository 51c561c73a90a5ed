import { createHash } from 'node:crypto';
import { AwsSigner, type AwsCall } from '../../../bench/aws-signer.ts';
import type { WireReply } from '../network/server-side.ts';
import type { Pair } from '../../support/test-admin.ts';
import { entropyOf, type Dice } from '../time/dice.ts';
import type { Input } from '../watch/specification.ts';
import type { Client } from './client.ts';
import { awsSdk } from './retries.ts';

const USER_AGENT = 'APN/1.0 HashiCorp/1.0 Terraform/1.11.4';

/** A call of AWS's SDK, before it is named and signed. */
export type AwsRequest = Required<Omit<AwsCall, 'unsignedBody'>> & { readonly service: string };

/** AWS's SDK, as terraform uses it: names each call, signs each attempt, and sends again. */
export class AwsCalls {
  readonly #client: Client;
  readonly #dice: Dice;
  readonly #signer: AwsSigner;

  constructor(client: Client, credential: Pair, dice: Dice) {
    this.#client = client;
    this.#dice = dice;
    this.#signer = new AwsSigner(credential, () => client.time.instant);
  }

  /** @param noted does one attempt, and takes note of it. @returns the last answer */
  ask(
    call: AwsRequest,
    input: Input | null = null,
    noted: (send: () => Promise<WireReply | null>) => Promise<WireReply | null> = (send) => send(),
  ): Promise<WireReply | null> {
    const callId = entropyOf(this.#dice).uuid();
    const named = { ...call, headers: { ...call.headers, 'amz-sdk-invocation-id': callId } };
    return awsSdk(
      (attempt) => noted(() => this.#client.send(this.#signed(named, attempt, input))),
      (time) => this.#client.sleep(time),
      this.#dice,
    );
  }

  #signed(call: AwsRequest, attempt: number, input: Input | null): Parameters<Client['send']>[0] {
    const body = Buffer.from(call.body);
    const hash = createHash('sha256').update(body).digest('hex');
    const headers = {
      ...call.headers,
      ...(call.service === 's3' ? { 'x-amz-content-sha256': hash } : {}),
      'amz-sdk-request': `attempt=${attempt}; max=5`,
      'user-agent': USER_AGENT,
    };
    const signed = this.#signer.headersOf(call.service, { ...call, headers }, hash);
    const target = call.query === '' ? call.path : `${call.path}?${call.query}`;
    return { method: call.method, target, headers: signed, body, input };
  }
}
