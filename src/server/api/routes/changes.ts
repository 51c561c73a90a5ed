import { z } from 'zod';
import type { VersionChangesShape } from '../../../api/shapes/look.ts';
import { readObject } from '../../../api/error.ts';
import type { Version } from '../../../core/world.ts';
import { askContent, type ContentAnswer } from '../content/ask-content.ts';
import { Remembered } from '../content/remembered.ts';
import { ADDRESS, given, VERSION_NUMBER } from '../parameters.ts';
import { jsonReply } from '../json-reply.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { CHANGES } from '../shapes/look.ts';

const LIMIT_MAX = 20;
const LIMIT_DEFAULT = 10;

/** How much lies between two contents never changes, so it is worked out once: by their digests, whoever asks. */
const counted = new Remembered<VersionChangesShape['counts']>(10_000);

/** How much each version of a state changed. */
export const CHANGE_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-changes',
    summary: 'Counts what each of the newest versions added, changed and removed.',
    needs: 'reader of the address',
    about:
      'Each is compared with the version before it that is kept. Counting takes the contents apart, so only some are counted at a time, and what cannot be counted now says `busy`: ask again for those.',
    query: z.strictObject({
      address: ADDRESS,
      before: VERSION_NUMBER.optional().describe('Only versions older than this one.'),
      limit: z.coerce
        .number<number>()
        .int()
        .min(1)
        .max(LIMIT_MAX)
        .default(LIMIT_DEFAULT)
        .describe('The most versions that are counted.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The counts.', schema: CHANGES },
    refusals: [403],
    run: async (call) => {
      const { house, caller, operation, query } = call;
      const { address, before, limit } = query;
      const wanted = given({ before, limit: limit + 1 });
      const answer = await house.history.versions(caller, address, wanted);
      if (answer.type !== 'versions') return refusalReply(operation, address, answer);
      const { versions } = answer;
      const changes: VersionChangesShape[] = [];
      for (const [index, version] of versions.slice(0, limit).entries()) {
        if (call.request.gone.aborted) break;
        const older = versions[index + 1] ?? null;
        const name = `${older?.sha256 ?? ''} ${version.sha256}`;
        const known = counted.get(name);
        if (known !== undefined) {
          changes.push(shapeOf(version, older, known, null));
          continue;
        }
        const numbers = [version.number, ...(older === null ? [] : [older.number])];
        const asked = await askContent(call, {
          address,
          action: 'read',
          numbers,
          task: ([to, from = null]) => ({ kind: 'counts', from, to }),
        });
        if (asked.type === 'text') counted.set(name, JSON.parse(asked.text) as VersionChangesShape['counts']);
        changes.push(shapeOf(version, older, counted.get(name) ?? null, problemOf(asked)));
      }
      return jsonReply(operation, { changes });
    },
  }),
];

function shapeOf(
  { number: version }: Version,
  older: Version | null,
  counts: VersionChangesShape['counts'],
  problem: string | null,
): VersionChangesShape {
  return { version, before: older?.number ?? null, counts, problem };
}

/** The word of a refusal. */
function problemOf(answer: ContentAnswer): string | null {
  if (answer.type === 'text') return null;
  const { body } = answer.reply;
  const { error } = (body instanceof Uint8Array ? readObject(Buffer.from(body).toString()) : null) ?? {};
  return typeof error === 'string' ? error : 'fault';
}
