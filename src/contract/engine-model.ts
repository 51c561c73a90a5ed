import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { S3_WORKSPACE_PREFIX, type Address } from '../core/address.ts';
import { MemoryEngine } from '../engines/memory/engine.ts';
import type { Command, Engine, StateQuery } from '../ports/engine.ts';
import type { Resealed } from '../ports/sealed-anew.ts';
import type { EngineOptions, EngineUnderTest } from './engine-contract.ts';
import { testKeyIdOf } from './engine-commands.ts';
import { anyPause, anyStep, commandOf, type Step } from './engine-model-steps.ts';
import { ManualClock } from './manual-clock.ts';

/** Sequences that go side by side, step by step, so that they share flushes and one reading of the clock. */
const SIDE_BY_SIDE = 400;
const STEPS_MIN = 4;
/** Results are compared at every step; the rows too at every so many, and all at the end. */
const LOOKS_EVERY = 4;
const STEPS_MAX = 24;
/** After so many rounds a new engine is opened, so that each is looked through whole while it is small. */
const ROUNDS_PER_ENGINE = 5;

/** One sequence: its steps, and the two addresses of a project of its own that they are about. */
interface Sequence {
  readonly steps: readonly Step[];
  readonly project: string;
  readonly addresses: readonly Address[];
  readonly given: Command[];
}

interface Pair {
  readonly model: Engine;
  readonly tried: Engine;
}

/** In fewer sequences than this the rarest of what is worth seeing may not come up. */
const ENOUGH_FOR_ALL = 2_000;

/** What came up, so that a run in which little happened does not pass for a good one. */
const WORTH_SEEING = [
  'granted',
  'held',
  'released',
  'gone',
  'not-locked',
  'not-holder',
  'may-not-break',
  'stored',
  'stale',
  'fenced',
  'shared-hold',
  'deleted',
  'undeleted',
  'pruned',
  'purged',
  'retained',
  'retention-set',
  'released-before',
  'left',
  'renewed',
  'described',
  'ended',
  'absent',
  'exists',
  'expired',
  'conflict',
];

/**
 * Holds an engine against the reference model: random sequences of commands, with time passing, go to both, and every
 * result and every read must be the same. Prints how many there were.
 */
export function engineModel(
  name: string,
  open: (options: EngineOptions) => Promise<EngineUnderTest>,
  { sequences }: { readonly sequences: number },
): void {
  describe(`${name} does what the reference model does`, () => {
    it(`in ${sequences} sequences of commands`, { timeout: 600_000 }, async () => {
      const seen = new Map<string, number>();
      const counts = { sequences: 0, commands: 0 };
      const clock = new ManualClock();
      let tried: EngineUnderTest | null = null;
      let rounds = 0;
      const round = fc.array(fc.array(anyStep, { minLength: STEPS_MIN, maxLength: STEPS_MAX, size: 'max' }), {
        minLength: SIDE_BY_SIDE,
        maxLength: SIDE_BY_SIDE,
      });
      const pauses = fc.array(anyPause, { minLength: STEPS_MAX, maxLength: STEPS_MAX });
      const property = fc.asyncProperty(round, pauses, async (drawn, waits) => {
        if (rounds % ROUNDS_PER_ENGINE === 0) {
          await tried?.dispose();
          tried = await open({ clock, keyIdOf: testKeyIdOf });
        }
        rounds += 1;
        const pair = {
          model: new MemoryEngine(clock, testKeyIdOf),
          tried: (tried as EngineUnderTest).engine,
        };
        const side = drawn.map((steps, index) => sequenceOf(steps, `m${rounds}-${index}`));
        for (const [turn, wait] of waits.entries()) {
          clock.advance(wait);
          const commands = await takeTurn(pair, side, { turn, node: `node${rounds}` }, seen);
          counts.commands += commands;
        }
        for (const sequence of side) await compareAll(pair, sequence);
        await compareHouse(pair, side, `node${rounds}`);
        counts.sequences += side.length;
      });
      try {
        // A failure tells its own sequence; to shrink hundreds that go side by side would take hours.
        await fc.assert(property, { numRuns: Math.ceil(sequences / SIDE_BY_SIDE), endOnFailure: true });
      } finally {
        await (tried as EngineUnderTest | null)?.dispose();
      }
      console.log(`${name}: ${counts.sequences} sequences, ${counts.commands} commands, none differed`);
      const missed = WORTH_SEEING.filter((type) => !seen.has(type));
      if (sequences >= ENOUGH_FOR_ALL) expect(missed).toEqual([]);
      expect(counts.sequences).toBeGreaterThanOrEqual(sequences);
    });
  });
}

function sequenceOf(steps: readonly Step[], project: string): Sequence {
  const addresses = ['default', 'dev'].map((workspace) => ({ project, key: 'app/state', workspace }));
  return { steps, project, addresses, given: [] };
}

/** Gives one step of every sequence to both engines, and compares what they say. */
async function takeTurn(
  { model, tried }: Pair,
  side: readonly Sequence[],
  { turn, node }: { readonly turn: number; readonly node: string },
  seen: Map<string, number>,
): Promise<number> {
  const acting = side.filter(({ steps }) => turn < steps.length);
  const commands: Command[] = [];
  for (const sequence of acting) {
    const step = sequence.steps[turn] as Step;
    const address = sequence.addresses[step.place] as Address;
    const versions = await model.versions(address, { limit: 100 });
    const command = commandOf(step, {
      address,
      world: await model.world(address),
      versions: versions.map(({ number, at }) => ({ number, at })),
      at: await model.now(),
      node,
      seat: turn,
    });
    sequence.given.push(command);
    commands.push(command);
  }
  const expected = await model.apply(commands, { notes: true });
  const results = await tried.apply(commands, { notes: true });
  for (const [index, sequence] of acting.entries()) {
    const type = expected[index]?.outcome.type ?? '';
    seen.set(type, (seen.get(type) ?? 0) + 1);
    same(sequence, 'result', results[index], expected[index]);
    const [address] = sequence.given.slice(-1).map(addressOf);
    if (turn % LOOKS_EVERY === 0 && address !== null && address !== undefined) {
      same(sequence, 'world', await tried.world(address), await model.world(address));
    }
  }
  return commands.length;
}

/** Everything that can be read of a sequence's project. */
async function compareAll({ model, tried }: Pair, sequence: Sequence): Promise<void> {
  const { project, addresses } = sequence;
  const compare = async (what: string, read: (engine: Engine) => Promise<unknown>): Promise<void> =>
    same(sequence, what, await read(tried), await read(model));
  await compare('usage', (engine) => engine.usage(project));
  for (const address of addresses) {
    await compare('world', (engine) => engine.world(address));
    const versions = await model.versions(address, { limit: 100 });
    await compare('versions', (engine) => engine.versions(address, { limit: 100 }));
    await compare('older versions', (engine) => engine.versions(address, { before: 3, limit: 2 }));
    await compare('version 2', (engine) => engine.version(address, 2));
    await compare('the version of the state', (engine) => engine.version(address, null));
    for (const { bodyId } of versions) await compare('body', (engine) => bodyTexts(engine, bodyId));
    await compare('audit', (engine) => auditOf(engine, { address, limit: 100 }));
    await compare('audit of locks', (engine) => auditOf(engine, { address, action: 'lock', limit: 3 }));
  }
  for (const command of sequence.given) {
    if (command.type === 'write' || command.type === 'put-entry') {
      const id = command.body?.id;
      if (id !== undefined) await compare('body of a command', (engine) => bodyTexts(engine, id));
    }
  }
  const queries = stateQueries(addresses[0]);
  const query = queries[sequence.steps.length % queries.length] ?? { limit: 10 };
  await compare(`states ${JSON.stringify(query)}`, (engine) => engine.states({ ...query, project }));
  await compare('entries', (engine) => engine.entries(`kind-${project}`));
}

function stateQueries(after: Address | undefined): StateQuery[] {
  return [
    { limit: 10 },
    { limit: 1 },
    { limit: 10, deleted: true },
    { limit: 10, locked: true },
    { limit: 10, search: '@dev' },
    { limit: 10, named: { prefix: '', after: '' } },
    {
      limit: 2,
      deleted: true,
      named: { prefix: `${S3_WORKSPACE_PREFIX}/`, after: `${S3_WORKSPACE_PREFIX}/dev/` },
    },
    { limit: 10, keyPrefix: 'app', ...(after === undefined ? {} : { after }) },
  ];
}

/** What can only be read of the house as a whole, as far as this round's sequences have made it. */
async function compareHouse({ model, tried }: Pair, side: readonly Sequence[], node: string): Promise<void> {
  const projects = new Set(side.map(({ project }) => project));
  const [whole] = side as [Sequence];
  const compare = async (what: string, read: (engine: Engine) => Promise<unknown[]>): Promise<void> => {
    const inOrder = async (engine: Engine): Promise<unknown[]> =>
      (await read(engine)).map((item) => JSON.stringify(item)).sort();
    same(whole, what, await inOrder(tried), await inOrder(model));
  };
  const isOurs = ({ address }: { address: Address }): boolean => projects.has(address.project);
  const changesOf = async (engine: Engine): Promise<unknown> =>
    // Ids are an engine's own.
    (await engine.changes(0, Infinity)).records
      .filter(isOurs)
      .map(({ at, address, note }) => ({ at, address, note }));
  same(whole, 'changes', await changesOf(tried), await changesOf(model));
  await compare('seats', async (engine) => [...(await engine.seats({ node }))]);
  await compare('seats of others', async (engine) =>
    (await engine.seats({ notNode: 'node' })).filter(isOurs),
  );
  await compare('sealed under another key', async (engine) => {
    const bodies = new Set((await model.sealedUnderOther('k', Infinity)).map(bodyId));
    const all = await engine.sealedUnderOther('k', Infinity);
    return all.filter((item) => {
      if (item.kind === 'body') return bodies.has(item.id);
      if (item.kind === 'credential') return projects.has(item.id.replace(/-CREDENTIAL.*/, ''));
      return item.kind !== 'row-key' && isOurs(item);
    });
  });
  await compare('credentials', async (engine) =>
    (await engine.credentials()).filter(({ id }) => projects.has(id.replace(/-CREDENTIAL.*/, ''))),
  );
}

async function auditOf(engine: Engine, query: Parameters<Engine['audit']>[0]): Promise<unknown> {
  return (await engine.audit(query)).map(({ at, address, note }) => ({ at, address, note }));
}

async function bodyTexts(engine: Engine, id: string): Promise<unknown> {
  const body = await engine.body(id);
  if (body === null) return null;
  const segments: string[] = [];
  for await (const segment of body.segments()) segments.push(Buffer.from(segment).toString());
  return { keyId: body.keyId, wrappedKey: Buffer.from(body.wrappedKey).toString(), segments };
}

function addressOf(command: Command): Address | null {
  return 'address' in command ? command.address : null;
}

function bodyId(item: Resealed): string | null {
  return item.kind === 'body' ? item.id : null;
}

function same(sequence: Sequence, what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const lines = sequence.given.map((command) => JSON.stringify(command, plainly));
  throw new Error(
    `${what} differs after\n${lines.join('\n')}\n\ngot      ${JSON.stringify(actual, plainly)}\nexpected ${JSON.stringify(expected, plainly)}`,
  );
}

function plainly(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value;
}
