import { describe, expect, it } from 'vitest';
import { parseLockInfo } from '../../src/core/lock-info.ts';
import type { Holder } from '../../src/core/world.ts';
import { explainNotEntered } from '../../src/protocols/aws/explain.ts';
import type { NotAuthenticated } from '../../src/protocols/aws/authenticate.ts';
import * as dynamodb from '../../src/protocols/dynamodb/door/errors.ts';
import { explain, type Refusal } from '../../src/protocols/explain.ts';
import * as http from '../../src/protocols/http/door/errors.ts';
import * as s3 from '../../src/protocols/s3/door/errors.ts';
import * as sts from '../../src/protocols/sts/door/errors.ts';
import { refusalProblem } from '../../src/protocols/wire/refusal.ts';

const address = { project: 'acme', key: 'net', workspace: 'dev' };
const alice: Holder = {
  lockId: 'alice-lock',
  waiter: 'alice-lock',
  subject: 'token:alice',
  door: 'consul',
  operation: 'OperationTypeApply',
  shared: false,
  fence: 7,
  since: Date.parse('2026-11-20T08:00:00Z'),
  until: null,
  delay: 0,
  // As a door keeps it that takes a lock before it knows anything of its client.
  info: null,
  aliases: ['consul'],
  seat: null,
  accepted: true,
  answers: [],
};
const holders = [alice];

/** One of each kind: a refusal that is added has no row here, and does not compile. */
const REFUSALS: { readonly [T in Refusal['type']]: Extract<Refusal, { type: T }> } = {
  absent: { type: 'absent' },
  exists: { type: 'exists', head: null as never },
  gone: { type: 'gone' },
  expired: { type: 'expired' },
  revoked: { type: 'revoked' },
  forbidden: { type: 'forbidden', subject: 'token:bob', action: 'write', address },
  held: { type: 'held', holders, position: 2, waiting: 3, parkFor: null },
  'released-before': { type: 'released-before', lockId: 'old', at: alice.since, broken: true },
  'not-locked': { type: 'not-locked' },
  'not-holder': { type: 'not-holder', holders },
  'may-not-break': { type: 'may-not-break', holders },
  'too-young': { type: 'too-young', holders, guard: 120_000 },
  fenced: { type: 'fenced', lockId: 'old', holders },
  'shared-hold': { type: 'shared-hold', holders },
  frozen: { type: 'frozen', pattern: 'acme/*', reason: 'release', until: 5_000, by: 'token:ops', since: 0 },
  unannounced: { type: 'unannounced', address, at: 0 },
  retained: {
    type: 'retained',
    version: 3,
    retention: { mode: 'governance', until: 5_000 },
    legalHold: false,
  },
  stale: { type: 'stale', reason: 'serial-lower', head: null },
  'over-quota': { type: 'over-quota', project: 'acme', measure: 'states', used: 10, limit: 10 },
  'too-large': { type: 'too-large', limit: 1_000 },
  'not-a-state': { type: 'not-a-state', problem: 'the state is not JSON' },
  damaged: { type: 'damaged', problem: 'fewer bytes came than were announced' },
  busy: { type: 'busy', retryAfterSeconds: 3 },
};
const all = Object.values(REFUSALS);

const NOT_ENTERED: { readonly [P in NotAuthenticated['problem']]: NotAuthenticated } = {
  missing: { problem: 'missing' },
  unsupported: { problem: 'unsupported' },
  twice: { problem: 'twice' },
  malformed: { problem: 'malformed', detail: 'the date is none' },
  'malformed-link': { problem: 'malformed-link', detail: 'X-Amz-Expires must be non-negative' },
  'unsigned-headers': { problem: 'unsigned-headers', names: ['x-amz-date'] },
  skewed: { problem: 'skewed', date: '20261120T080000Z' },
  expired: { problem: 'expired' },
  mismatch: { problem: 'mismatch' },
  'wrong-service': { problem: 'wrong-service', expected: 's3' },
  'unknown-key': { problem: 'unknown-key', accessKeyId: 'AK' },
  'bad-token': { problem: 'bad-token' },
};

describe('a refusal', () => {
  it.each(all)('$type is told in the same words at every door', (refusal) => {
    const words = explain(refusal);
    expect(words).not.toBe('');
    expect(s3.refused(refusal)).toMatchObject({ message: words });
    expect(refusalProblem(address, refusal)).toMatchObject({ message: explain(refusal, address) });
  });

  it.each([
    'gone',
    'expired',
    'forbidden',
    'held',
    'released-before',
    'not-holder',
    'may-not-break',
  ] as const)('%s is told so by a lock table, too', (type) => {
    expect(dynamodb.refused(REFUSALS[type])).toMatchObject({ message: explain(REFUSALS[type]) });
  });

  it.each(all)('$type is never a success, and a fault only where it is to be asked again', (refusal) => {
    const statuses = [
      refusalProblem(address, refusal).status,
      s3.refused(refusal).status,
      http.refused('write', address, refusal).status,
    ];
    const again = refusal.type === 'busy' || refusal.type === 'gone';
    expect(statuses.map((status) => Math.floor(status / 100))).toEqual(again ? [5, 5, 5] : [4, 4, 4]);
  });

  it('names whoever holds the lock, how and since when', () => {
    expect(explain(REFUSALS.held, address)).toBe(
      'acme/net@dev is locked: lock alice-lock is held by token:alice (apply); you are 2nd of 3 in line',
    );
    const at = alice.since + 130_000;
    expect(explain({ ...REFUSALS.held, position: null, waiting: 0, at, usualHold: 180_000 })).toBe(
      'the state is locked: lock alice-lock is held by token:alice (apply) for 2m 10s, usually 3m',
    );
    const info = Buffer.from(
      '{"ID":"alice-lock","Who":"alice@laptop","Operation":"OperationTypePlan","Info":"by hand"}',
    );
    expect(explain({ ...REFUSALS.held, holders: [{ ...alice, info }] })).toContain(
      'held by token:alice (alice@laptop, plan), reason: by hand;',
    );
  });

  it('of a break-in that names no lock says what does it', () => {
    expect(explain(REFUSALS['too-young'], address)).toContain(
      'breaks none that is younger than 2m: use "statehouse force-unlock acme/net@dev", which shows the holder and asks',
    );
  });

  it('of a break-in without the right says how its own lock is ended', () => {
    expect(explain(REFUSALS['may-not-break'], address)).toContain(
      'your own is ended by "statehouse force-unlock acme/net@dev"',
    );
  });

  it('by a line in which nobody has the lock yet is no lock info at the http door', () => {
    const { status, body } = http.refused('lock', address, { ...REFUSALS.held, holders: [] });
    expect(status).toBe(409);
    expect(String(body)).toContain('others wait for it');
  });
});

describe('a holder without a lock info', () => {
  it.each(['held', 'fenced'] as const)('is shown as one by the http door where a request is %s', (type) => {
    const { status, body } = http.refused('write', address, REFUSALS[type]);
    expect(status).toBe(423);
    const parsed = parseLockInfo(body instanceof Uint8Array ? body : new Uint8Array());
    expect(parsed).toMatchObject({
      info: { id: 'alice-lock', who: 'token:alice', operation: 'OperationTypeApply' },
    });
  });
});

describe('a signature that is not believed', () => {
  it.each(Object.values(NOT_ENTERED))('because it is $problem is told in the same words', (refusal) => {
    const words = explainNotEntered(refusal);
    expect(s3.notAdmitted(refusal).message).toBe(words);
    expect(dynamodb.notAuthenticated(refusal).message).toBe(words);
    expect(sts.notAuthenticated(refusal).message).toBe(words);
  });
});
