/** A place in the code outside the core that is broken on purpose: what stands there, and what is put in its stead. */
export interface Patch {
  /** The compiled file. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const EXECUTOR = 'src/house/executor.js';
const LOCKS = 'src/house/locks/locks.js';
const NODES = 'src/house/locks/nodes.js';
const PARKED = 'src/house/locks/parked-requests.js';
const LOCK_OBJECTS = 'src/protocols/lock-object/lock-objects.js';
const LOCK_MEMORY = 'src/protocols/lock-object/lock-memory.js';
const UPLOADS = 'src/house/states/uploads.js';
const HTTP = 'src/protocols/http/door/operations.js';

/** What a house and its doors may get wrong around a core that is right. */
export const PATCHES: Readonly<Record<string, Patch>> = {
  'what must be undone is tried once': {
    file: EXECUTOR,
    from: '!(fault instanceof EngineFault) || fault.fatal || this.#settling',
    to: 'true',
  },
  'a grant that no answer told of stands': {
    file: LOCKS,
    from: 'if (seat !== null)\n            this.#executor.executeLater',
    to: 'if (false)\n            this.#executor.executeLater',
  },
  'a grant whose request failed stands': {
    file: LOCKS,
    from: 'this.#takeBack(command, seat);\n            throw fault;',
    to: 'throw fault;',
  },
  'a grant is answered before it is taken up': {
    file: LOCKS,
    from: "if (why === 'handed' || outcome.type === 'granted')",
    to: "if (why === 'handed' && seat === null)",
  },
  'a request that waits is not sent away in the end': {
    file: PARKED,
    from: "finish(time < left ? 'time' : 'closing')",
    to: 'undefined',
  },
  'what a dead node left is not cleared up': {
    file: NODES,
    from: '[...dead, ...orphans]',
    to: '[...orphans]',
  },
  'what a former start left is not cleared up': {
    file: NODES,
    from: 'await this.#clear(await this.#engine.seats({ notNode: this.#node }));',
    to: '',
  },
  'a deletion ends whatever lock is held': {
    file: LOCK_OBJECTS,
    from: 'const seen = await this.#meantBy(caller, address, request);',
    to: 'const seen = null;',
  },
  'a repeated deletion means what was seen since': {
    file: LOCK_OBJECTS,
    from: 'if (before !== null)',
    to: 'if (false)',
  },
  'a restart forgets what deletions have meant': {
    file: LOCK_MEMORY,
    from: 'return (await this.#records.one(callOf(client, callId)))?.lockId ?? null;',
    to: 'return null;',
  },
  'each node remembers its looks for itself': {
    file: LOCK_MEMORY,
    from: 'this.#isShared = house.about.manyNodes',
    to: 'this.#isShared = false',
  },
  'a run that did not look ends whatever lock is held': {
    file: LOCK_OBJECTS,
    from: '(isRun(request) && holder.since > (await this.#memory.knowsSince()))',
    to: 'false',
  },
  'releases are forgotten after a second': {
    file: 'src/core/rules/releases.js',
    from: 'at - release.at <= RELEASE_LIFE',
    to: 'at - release.at <= 1_000',
  },
  'a grant that nobody acknowledged stands': {
    file: 'src/server/deliveries.js',
    from: ">= SILENT_MS_MAX ? 'lost' : 'in doubt'",
    to: ">= SILENT_MS_MAX ? 'heard' : 'in doubt'",
  },
  'an answer that somebody acknowledged is taken back all the same': {
    file: 'src/server/deliveries.js',
    from: "if (!isOpen)\n            return 'heard';",
    to: "if (!isOpen)\n            return 'lost';",
  },
  'a fault of a write is answered as a success': {
    file: 'src/protocols/http/door/door.js',
    from: "return faultReply('unknown', message);",
    to: "return { ...faultReply('unknown', message), status: 200 };",
  },
  'a grant is taken back whoever has heard of it': {
    file: 'src/core/rules/queue.js',
    from: 'if (aliases.length > 0) {',
    to: 'if (false) {',
  },
  'a client that has written may lose its lock to a dead connection': {
    file: 'src/core/rules/queue.js',
    from: 'return record.head?.fence === fence;',
    to: 'return false;',
  },
  'whoever asked once has a place': {
    file: 'src/core/rules/queue.js',
    from: 'return asks > 1 || seat !== null;',
    to: 'return true;',
  },
  'a break-in leaves the lock to who is fenced off': {
    file: 'src/core/rules/write.js',
    from: 'lockId === claim.lockId && subject === actor.subject',
    to: 'subject === actor.subject',
  },
  'a waiter is not woken when it is handed the lock': {
    file: PARKED,
    from: 'this.#taken.get(seat)?.();',
    to: 'void seat;',
  },
  'grants whose signal was lost are not looked for': {
    file: NODES,
    from: 'this.#parkedRequests.wake(seats.filter(({ granted }) => granted));',
    to: '',
  },
  'a lock file that no answer told of stays': {
    file: 'src/protocols/s3/door/lock-file.js',
    from: 'undelivered: answer.undelivered',
    to: 'undelivered: undefined',
  },
  'an item that no answer told of stays': {
    file: 'src/protocols/dynamodb/door/items.js',
    from: 'undelivered: answer.undelivered',
    to: 'undelivered: undefined',
  },
  'a lock at the http door that no answer told of stays': {
    file: HTTP,
    from: 'undelivered: answer.undelivered',
    to: 'undelivered: undefined',
  },
  'a write at the http door without its lock ID': {
    file: HTTP,
    from: "claim: lockId === null ? { kind: 'none' } : { kind: 'named', lockId }",
    to: "claim: { kind: 'none' }",
  },
  'an upload that nobody finishes stays': {
    file: 'src/house/states/upload-limits.js',
    from: 'return now - startedAt > UPLOAD_LIFE || now - touchedAt > uploadIdle;',
    to: 'return false;',
  },
  'a finished upload is completed anew': {
    file: UPLOADS,
    from: 'upload.became ?? (upload.finishedAt === null ? null : await this.#result(id))',
    to: 'null',
  },
  'pieces stay when their upload ends': {
    file: UPLOADS,
    from: 'await pieces.drop(null, ...page.map(({ name }) => name));',
    to: 'void page;',
  },
  'whoever was refused is told that nobody has the lock': {
    file: LOCK_OBJECTS,
    from: 'const owed = alias === null ? null : this.#refusals.looks(viewerOf(caller, request, address, alias));',
    to: 'const owed = null;',
  },
  'a fault at the http door that looks like no state': {
    file: 'src/protocols/http/door/door.js',
    from: "return faultReply('unknown', message);",
    to: "return { ...faultReply('unknown', message), status: 404 };",
  },
};
