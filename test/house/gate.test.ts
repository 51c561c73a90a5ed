import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/house/caller.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, inChunks, NO_CLAIM } from './fixtures/built-house.ts';

const GONE = new AbortController().signal;
const UPLOAD = {
  id: 'an-upload',
  address: ADDRESS,
  subject: 'token:late',
  startedAt: 0,
  touchedAt: 0,
  bytes: 0,
  finishedAt: null,
  became: null,
};

type Part =
  | 'states'
  | 'history'
  | 'locks'
  | 'uploads'
  | 'refusedWrites'
  | 'freezes'
  | 'projects'
  | 'credentials'
  | 'audit';
type Deed = (built: BuiltHouse, caller: Caller) => unknown;

/** What is given to a caller who was let in before, or to the house itself. */
const NOT_ASKED: Readonly<Record<Part, readonly string[]>> = {
  states: [],
  history: [],
  locks: [],
  uploads: ['pieces', 'read', 'finish', 'abort', 'keepSwept', 'sweep', 'close'],
  refusedWrites: ['keepIfRefused', 'keepSwept', 'close'],
  freezes: ['stops', 'stopsLock', 'stopsChange'],
  projects: [
    'find',
    'list',
    'quotasOf',
    'quotasSetFor',
    'retentionOf',
    'retentionSetFor',
    'usageOf',
    'termsOf',
    'floorOf',
  ],
  credentials: ['ensureAdmin', 'hasAdmin', 'prune', 'refresh'],
  audit: ['note', 'flush', 'refused', 'looked', 'admit', 'accepted', 'prune', 'tellHead', 'close'],
};

/** What answers yes or no, and so no to whom the gate would not let through. */
const QUESTIONS: Readonly<Partial<Record<Part, Readonly<Record<string, Deed>>>>> = {
  states: { maySee: ({ house }, caller) => house.states.maySee(caller.identity, ADDRESS) },
  projects: { mayKnow: ({ house }, caller) => house.projects.mayKnow(caller, ADDRESS.project) },
};

/** Every deed of the house's parts that a caller may ask for. */
const DEEDS: Readonly<Record<Part, Readonly<Record<string, Deed>>>> = {
  states: {
    read: ({ house }, caller) => house.states.read(caller, ADDRESS),
    readWhole: ({ house }, caller) =>
      house.states.readWhole(caller, ADDRESS, { number: null, action: 'read-outputs', limit: 1_000 }),
    describe: ({ house }, caller) => house.states.describe(caller, ADDRESS),
    write: ({ house }, caller) =>
      house.states.write(caller, ADDRESS, inChunks(Buffer.from(sampleState(2))), {
        claim: NO_CLAIM,
        contentLength: null,
      }),
    delete: ({ house }, caller) => house.states.delete(caller, ADDRESS, NO_CLAIM),
    list: ({ house }, caller) => house.states.list(caller, { limit: 1 }),
  },
  history: {
    versions: ({ house }, caller) => house.history.versions(caller, ADDRESS, { limit: 1 }),
    version: ({ house }, caller) => house.history.version(caller, ADDRESS, 1),
    digests: ({ house }, caller) => house.history.digests(caller, ADDRESS, 1),
    restore: ({ house }, caller) => house.history.restore(caller, ADDRESS, 1, NO_CLAIM),
    undelete: ({ house }, caller) => house.history.undelete(caller, ADDRESS),
    purge: ({ house }, caller) => house.history.purge(caller, ADDRESS),
    dropVersion: ({ house }, caller) => house.history.dropVersion(caller, ADDRESS, 1, NO_CLAIM),
    retaining: ({ house }, caller) => house.history.retaining(caller, ADDRESS, 1),
    retain: ({ house }, caller) => house.history.retain(caller, ADDRESS, 1, { kind: 'legal-hold', on: true }),
  },
  locks: {
    refuse: ({ house }, caller) => house.locks.refuse(caller, 'lock', ADDRESS),
    lock: ({ house }, caller) =>
      house.locks.lock(caller, ADDRESS, {
        lockId: 'late',
        operation: 'OperationTypeApply',
        info: null,
        tellsHoldersApart: true,
        alias: 'test',
        wait: null,
        gone: GONE,
      }),
    unlock: ({ house }, caller) => house.locks.unlock(caller, ADDRESS, { lockId: 'late', alias: null }),
    renew: ({ house }, caller) => house.locks.renew(caller, ADDRESS, 'late', null),
    describe: ({ house }, caller) =>
      house.locks.describe(caller, ADDRESS, { lockId: 'late', operation: 'o', info: new Uint8Array(1) }),
    show: ({ house }, caller) => house.locks.show(caller, ADDRESS),
    past: ({ house }, caller) => house.locks.past(caller, ADDRESS),
    list: ({ house }, caller) => house.locks.list(caller, { limit: 1 }),
  },
  uploads: {
    begin: ({ house }, caller) => house.uploads.begin(caller, ADDRESS),
    find: ({ house }, caller) => house.uploads.find(caller, ADDRESS, 'an-upload'),
    look: ({ house }, caller) => house.uploads.look(caller, ADDRESS, 'an-upload'),
    list: ({ house }, caller) => house.uploads.list(caller, 'acme'),
    put: ({ house }, caller) => house.uploads.put(caller, UPLOAD, 1, inChunks(Buffer.from('x'))),
  },
  refusedWrites: {
    list: ({ house }, caller) => house.refusedWrites.list(caller, ADDRESS),
    read: ({ house }, caller) => house.refusedWrites.read(caller, ADDRESS, 'a-write'),
    drop: ({ house }, caller) => house.refusedWrites.drop(caller, ADDRESS, 'a-write'),
  },
  freezes: {
    set: ({ house }, caller) => house.freezes.set(caller, { pattern: 'acme/*', reason: 'r', until: 1 }),
    lift: ({ house }, caller) => house.freezes.lift(caller, 'acme/*'),
    list: ({ house }, caller) => house.freezes.list(caller),
  },
  projects: {
    listVisible: ({ house }, caller) => house.projects.listVisible(caller),
    seen: ({ house }, caller) => house.projects.seen(caller),
    refuse: ({ house }, caller) => house.projects.refuse(caller, 'list', 'acme'),
    look: ({ house }, caller) => house.projects.look(caller, 'acme'),
    make: ({ house }, caller) => house.projects.make(caller, 'acme'),
    set: ({ house }, caller) => house.projects.set(caller, 'acme', {}),
    forget: ({ house }, caller) => house.projects.forget(caller, 'acme'),
  },
  credentials: {
    list: ({ house }, caller) => house.credentials.list(caller),
    create: ({ house }, caller) =>
      house.credentials.create(caller, { name: 'n', grants: [], expiresAt: null }),
    change: ({ house }, caller) => house.credentials.change(caller, 'any', { expiresAt: null }),
    revoke: ({ house }, caller) => house.credentials.revoke(caller, 'any'),
  },
  audit: {
    read: ({ house }, caller) => house.audit.read(caller, { limit: 1 }),
    follow: ({ house }, caller) => house.audit.follow(caller, { after: null, limit: 1 }),
    head: ({ house }, caller) => house.audit.head(caller),
  },
};

const ROWS = rowsOf(DEEDS);
const QUESTION_ROWS = rowsOf(QUESTIONS);

function rowsOf(
  parts: Readonly<Record<string, Readonly<Record<string, Deed>>>>,
): (readonly [string, Deed])[] {
  return Object.entries(parts).flatMap(([part, deeds]) =>
    Object.entries(deeds).map(([name, deed]) => [`${part}.${name}`, deed] as const),
  );
}

/** An admin of everything, so that nothing but its expiry, or its revocation, can stand in its way. */
function admin(change: object): Caller {
  const caller = callerOf('late', 'admin');
  return { ...caller, identity: { ...caller.identity, ...change } };
}

describe('the gate of the house', () => {
  it('stands before every deed of every part: one that is added has no row here', async () => {
    await using built = await BuiltHouse.build('memory');
    for (const [part, deeds] of Object.entries(DEEDS)) {
      const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(built.house[part as Part]));
      const asked = Object.keys(QUESTIONS[part as Part] ?? {});
      const known = ['constructor', ...Object.keys(deeds), ...asked, ...NOT_ASKED[part as Part]];
      expect([part, methods.sort()]).toEqual([part, known.sort()]);
    }
  });

  describe.each(ENGINES)('on %s', (engine) => {
    it.each(ROWS)('lets no expired credential do %s', async (_name, deed) => {
      await using built = await BuiltHouse.build(engine);
      await built.write(callerOf('ann'), sampleState(1));
      const at = built.clock.now();
      const late = admin({ expiry: { at, graceUntil: at + 1_000 } });
      expect(await deed(built, late)).toEqual({ type: 'expired' });
      built.clock.advance(1_000);
      expect(await deed(built, late)).toEqual({ type: 'expired', graceOver: true });
    });
  });

  it.each(ROWS)('lets no revoked credential do %s', async (_name, deed) => {
    await using built = await BuiltHouse.build('memory');
    expect(await deed(built, admin({ credentialId: 'SHGONEGONEGONEGO' }))).toEqual({ type: 'revoked' });
  });

  it.each(QUESTION_ROWS)('says no to %s of a credential that is over, else yes', async (_name, ask) => {
    await using built = await BuiltHouse.build('memory');
    await built.write(callerOf('ann'), sampleState(1));
    const at = built.clock.now();
    expect(await ask(built, admin({}))).toBe(true);
    expect(await ask(built, admin({ expiry: { at, graceUntil: at + 1_000 } }))).toBe(false);
    expect(await ask(built, admin({ credentialId: 'SHGONEGONEGONEGO' }))).toBe(false);
  });
});
