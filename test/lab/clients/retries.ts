import type { Milliseconds } from '../../../src/core/instant.ts';
import type { WireReply } from '../network/server-side.ts';
import type { Dice } from '../time/dice.ts';

type Attempt = (number: number) => Promise<WireReply | null>;
type Sleep = (time: Milliseconds) => Promise<void>;

/** As Terraform's http backend sets up go-retryablehttp: three attempts, 1 s and 2 s between them. */
const HTTP = { attempts: 3, waitMin: 1_000, waitMax: 30_000 } as const;
/** As AWS's SDK for Go does in its standard mode, with Terraform's `max_retries`. */
const AWS = { attempts: 5, waitMax: 20_000 } as const;

/** Sends again what got no answer, or one that promises that the next may be better. @returns the last answer */
export async function retryableHttp(attempt: Attempt, sleep: Sleep): Promise<WireReply | null> {
  for (let number = 1; ; number += 1) {
    const reply = await attempt(number);
    if (!isWorthwhile(reply) || number === HTTP.attempts) return reply;
    const wait = Math.min(HTTP.waitMin * 2 ** (number - 1), HTTP.waitMax);
    const asked = Number(reply?.headers['retry-after'] ?? Number.NaN) * 1_000;
    await sleep(Number.isNaN(asked) ? wait : asked);
  }
}

/** The same with jitter between attempts. */
export async function awsSdk(attempt: Attempt, sleep: Sleep, dice: Dice): Promise<WireReply | null> {
  for (let number = 1; ; number += 1) {
    const reply = await attempt(number);
    if (!isWorthwhile(reply) || number === AWS.attempts) return reply;
    await sleep(dice.next() * Math.min(1_000 * 2 ** (number - 1), AWS.waitMax));
  }
}

function isWorthwhile(reply: WireReply | null): boolean {
  if (reply === null) return true;
  return reply.status === 429 || (reply.status >= 500 && reply.status !== 501);
}
