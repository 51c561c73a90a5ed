/** A defect that is put back into a copy of the code, and the test that must fail then. */
export interface PutBack {
  readonly defect: string;
  /** The file, or the folder in which one file has the text: the bundled program has its names from its content. */
  readonly at: string;
  readonly from: string;
  readonly to: string;
  readonly test: string;
  /** A part of its name. */
  readonly only: string;
}

const DAMAGE = 'test/engines/sqlite-damage.test.ts';
const DIRECTORY = 'test/engines/sqlite-data-directory.test.ts';

/** What the lab cannot show, since it has neither files nor descriptors nor the memory of a process. */
export const PUT_BACK: readonly PutBack[] = [
  {
    defect: 'an absence is looked up again in the very index that lacks it',
    at: 'src/engines/sqlite/world.ts',
    from: 'address INDEXED BY address_again',
    to: 'address INDEXED BY sqlite_autoindex_address_1',
    test: DAMAGE,
    only: 'calls no state absent',
  },
  {
    defect: 'a list counts what an index has, and does not compare it',
    at: 'src/engines/sqlite/reads/entries.ts',
    from: ' || !entries.every(isSame)',
    to: '',
    test: DAMAGE,
    only: 'lists none twice',
  },
  {
    defect: 'a damaged log is taken for a torn one',
    at: 'src/engines/sqlite/files/log-file.ts',
    from: 'if (damage === null) return;',
    to: "if (damage !== '') return;",
    test: DAMAGE,
    only: 'with a damaged log is refused',
  },
  {
    defect: 'nobody looks whether the database is there still',
    at: 'src/engines/sqlite/files/file-watch.ts',
    from: 'else if (means !== meant) throw',
    to: "else if (means === '') throw",
    test: DIRECTORY,
    only: 'whose database is replaced',
  },
  {
    defect: 'only a file in the directory is locked',
    at: 'src/engines/sqlite/files/directory-lock.ts',
    from: 'if (flock(descriptor, EXCLUSIVE_AT_ONCE) === 0)',
    to: 'if (descriptor > 0)',
    test: DIRECTORY,
    only: 'also once the file that it locks was removed',
  },
  {
    defect: 'one credential may have all bodies in memory',
    at: 'src/house/budget.ts',
    from: 'if (!fits || this.#released)',
    to: 'if (this.#released)',
    test: 'test/house/budget.test.ts',
    only: 'is never all of one subject',
  },
  {
    defect: 'memory is kept once it was needed',
    at: 'src/server/spare-memory.ts',
    from: 'await memory.giveBack();',
    to: '',
    test: 'test/server/spare-memory.test.ts',
    only: 'is given back once the server rests',
  },
  {
    defect: 'connections may take every descriptor',
    at: 'dist/program',
    from: 'Math.min(CONNECTIONS_MAX, require_descriptors.connectionsWithin(options.descriptors))',
    to: 'CONNECTIONS_MAX',
    test: 'test/server/few-descriptors.test.ts',
    only: 'tells connections above its limit',
  },
  {
    defect: "each node's own clock says whether a credential has expired",
    at: 'src/server/shared-clock.ts',
    from: 'return this.#clock.now() - this.#ahead;',
    to: 'return this.#clock.now();',
    test: 'test/server/shared-clock.test.ts',
    only: 'is the time of the database',
  },
];
