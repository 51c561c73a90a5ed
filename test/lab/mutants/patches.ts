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
  'a client that hangs up goes on waiting': {
    file: LOCKS,
    from: "why === 'gone'",
    to: 'false',
  },
  'a grant is answered before it is taken up': {
    file: LOCKS,
    from: "if (why === 'handed' || outcome.type === 'granted')",
    to: "if (why === 'handed' && seat === null)",
  },
  'a request that waits is not sent away in the end': {
    file: PARKED,
    from: "this.#clock.after(time, () => end('time'))",
    to: '() => undefined',
  },
  'a client that hangs up while it is parked is not noticed': {
    file: PARKED,
    from: "gone.addEventListener('abort', leave);",
    to: '',
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
    from: 'const seen = this.#meantBy(caller, address, request);',
    to: 'const seen = null;',
  },
  'a repeated deletion means what was seen since': {
    file: LOCK_OBJECTS,
    from: 'before ?? this.#memory.lastSeen(looker, address)',
    to: 'this.#memory.lastSeen(looker, address)',
  },
  'a lock file that no answer told of stays': {
    file: 'src/protocols/s3/door/lock-file.js',
    from: 'undelivered: answer.undelivered',
    to: '',
  },
  'an item that no answer told of stays': {
    file: 'src/protocols/dynamodb/door/items.js',
    from: 'undelivered: answer.undelivered',
    to: '',
  },
  'a lock at the http door that no answer told of stays': {
    file: HTTP,
    from: 'undelivered: answer.undelivered',
    to: '',
  },
  'a write at the http door without its lock ID': {
    file: HTTP,
    from: "claim: lockId === null ? { kind: 'none' } : { kind: 'named', lockId }",
    to: "claim: { kind: 'none' }",
  },
  'a fault at the http door that looks like no state': {
    file: 'src/protocols/http/door/door.js',
    from: "return faultReply('unknown', message);",
    to: "return { ...faultReply('unknown', message), status: 404 };",
  },
};
