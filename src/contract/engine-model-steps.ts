import * as fc from 'fast-check';
import type { Address } from '../core/address.ts';
import type { Actor, Claim, LockCommand, PurgeCommand, WriteCommand } from '../core/command.ts';
import type { Instant } from '../core/instant.ts';
import type { DatedVersion, RetentionChange } from '../core/retained.ts';
import type { World } from '../core/world.ts';
import type { Command } from '../ports/engine.ts';
import { ALICE, BOB, bodyOf, bytes, deleteOf, lockOf, unlockOf, writeOf } from './engine-commands.ts';

/** What a step is about, drawn at random; it becomes a command once it is known how things stand. */
export interface Step {
  readonly kind: keyof typeof KINDS;
  readonly place: number;
  readonly actor: number;
  readonly lock: number;
  readonly pick: number;
  readonly flag: boolean;
  readonly rare: boolean;
  readonly serial: number;
}

/** What a step sees when it becomes a command. */
export interface Sight {
  readonly address: Address;
  readonly world: World;
  readonly versions: readonly DatedVersion[];
  readonly at: Instant;
  readonly node: string;
  readonly seat: number;
}

/** Each kind of step with its weight: locks and writes come often, purges seldom. */
const KINDS = {
  lock: 9,
  unlock: 5,
  write: 6,
  'park-over': 2,
  leave: 2,
  accept: 2,
  renew: 1,
  describe: 1,
  expire: 1,
  delete: 1,
  undelete: 1,
  prune: 1,
  retain: 2,
  purge: 1,
  credential: 1,
  entry: 1,
  audit: 1,
  reseal: 1,
} as const;

const ACTORS: readonly Actor[] = [
  ALICE,
  BOB,
  { ...BOB, subject: 'oidc:repo:org/app', expiry: { at: 0, graceUntil: Infinity } },
];
const OPERATIONS = ['OperationTypeApply', 'OperationTypePlan', 'state-push', 'statehouse-exec'];
const ALIASES = ['http', 's3-lock-file', 'dynamodb-item'];
const LEASES = [null, null, null, 4_000, 60_000];
const WAITS = [null, null, 1_000, 90_000];

/** A step of any kind. */
export const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(KINDS).map(([kind, weight]) => ({
      arbitrary: fc.constant(kind as Step['kind']),
      weight,
    })),
  ),
  place: fc.nat(1),
  actor: fc.oneof({ arbitrary: fc.nat(1), weight: 9 }, { arbitrary: fc.constant(2), weight: 1 }),
  lock: fc.nat(4),
  pick: fc.nat(11),
  flag: fc.boolean(),
  rare: fc.nat(5).map((n) => n === 0),
  serial: fc.integer({ min: -2, max: 2 }),
});

/** How much later the next step is: mostly at once, sometimes after a client's sleep or a night. */
export const anyPause: fc.Arbitrary<number> = fc.oneof(
  { arbitrary: fc.constantFrom(0, 1, 700), weight: 6 },
  { arbitrary: fc.constantFrom(2_000, 5_000, 17_000), weight: 3 },
  { arbitrary: fc.constantFrom(65_000, 3_600_000), weight: 1 },
);

/** The command that a step is, as things stand. */
export function commandOf(step: Step, sight: Sight): Command {
  const { address } = sight;
  const actor = ACTORS[step.actor] ?? ALICE;
  switch (step.kind) {
    case 'lock':
      return lockStep(step, sight, actor);
    case 'unlock': {
      const lockId = step.rare ? null : lockIdOf(step, sight);
      const alias = step.pick < 3 ? (ALIASES[step.pick] ?? null) : null;
      return unlockOf(address, lockId, { actor, alias, mayBreak: step.flag });
    }
    case 'write':
      return writeStep(step, sight, actor);
    case 'park-over':
      return { type: 'park-over', address, actor, ...seated(step, sight), closing: step.rare };
    case 'leave':
      return { type: 'leave', address, actor, ...seated(step, sight) };
    case 'accept':
      return { type: 'accept', address, actor, ...seated(step, sight) };
    case 'renew':
      return {
        type: 'renew',
        address,
        actor,
        lockId: lockIdOf(step, sight),
        lease: LEASES[step.pick % LEASES.length] ?? null,
        ...(step.flag ? { newId: `${lockIdOf(step, sight)}-renamed` } : {}),
      };
    case 'describe':
      return {
        type: 'describe',
        address,
        actor,
        lockId: lockIdOf(step, sight),
        operation: OPERATIONS[step.pick % OPERATIONS.length] ?? '',
        info: bytes(`${step.flag ? 'k' : 'o'}-told`),
      };
    case 'expire':
      return { type: 'expire', address, actor };
    case 'delete':
      return deleteOf(address, {
        actor,
        claim: claimOf(step, sight),
        ...(step.pick === 11 ? { expects: { sha256: sight.world.record.head?.sha256 ?? '' } } : {}),
      });
    case 'undelete':
      return { type: 'undelete', address, actor };
    case 'prune':
      return {
        type: 'prune',
        address,
        actor,
        versions: sight.versions.slice(0, step.pick % 4),
        ...lettingGo(step),
      };
    case 'retain':
      return {
        type: 'retain',
        address,
        actor,
        version: sight.versions[step.pick % 3] ?? { number: 1, at: 0 },
        change: changeOf(step, sight),
        ...lettingGo(step),
      };
    case 'purge':
      return { type: 'purge', address, actor, ...lettingGo(step) };
    default:
      return recordStep(step, sight);
  }
}

function lettingGo({ flag, pick }: Step): Pick<PurgeCommand, 'floor' | 'bypass'> {
  return { bypass: flag, ...floorOf(pick) };
}

/** Most projects retain nothing. */
function floorOf(pick: number): Pick<PurgeCommand, 'floor'> {
  if (pick > 1) return {};
  return { floor: { mode: pick === 0 ? 'governance' : 'compliance', days: 1 } };
}

function changeOf({ pick, rare, flag, lock }: Step, { at }: Sight): RetentionChange {
  if (rare) return { kind: 'forget' };
  if (pick % 3 === 0) return { kind: 'legal-hold', on: flag };
  if (pick % 3 === 1) return { kind: 'retention', retention: null };
  const mode = lock === 0 ? 'compliance' : 'governance';
  return { kind: 'retention', retention: { mode, until: at + 30_000 * lock } };
}

function lockStep(step: Step, sight: Sight, actor: Actor): LockCommand {
  const operation = OPERATIONS[step.pick % OPERATIONS.length] ?? '';
  const lockId = lockIdOf(step, sight);
  return lockOf(sight.address, lockId, {
    actor,
    operation,
    shared: operation === 'OperationTypePlan' && step.flag,
    waiter: step.rare ? `waiter-${step.lock}` : lockId,
    alias: ALIASES[step.serial + 2] ?? 'http',
    info: step.pick === 7 ? null : bytes(`${step.flag ? 'k' : 'o'}-${lockId}`),
    seat: step.pick === 0 ? null : `${sight.node}:${sight.seat}`,
    lease: LEASES[step.pick % LEASES.length] ?? null,
    delay: step.rare ? 5_000 : 0,
    wait: WAITS[step.pick % WAITS.length] ?? null,
  });
}

function writeStep(step: Step, sight: Sight, actor: Actor): WriteCommand {
  const { address, world } = sight;
  const head = world.record.head;
  const serial = (head?.serial ?? 2n ** 63n) + BigInt(step.serial);
  const newest = head?.number ?? 0;
  return writeOf(address, serial, {
    actor,
    claim: claimOf(step, sight),
    text: `${step.pick % 3}`,
    lineage: ['lineage-1', 'lineage-1', 'lineage-1', 'lineage-2', ''][step.pick % 5] ?? '',
    body: bodyOf(
      Array.from({ length: step.pick % 4 }, (_, index) => bytes(`segment ${index}`)),
      step.flag ? 'k' : 'o',
    ),
    ...floorOf(step.pick),
    restore: step.rare && newest > 0 ? { from: 1, newest: newest - (step.flag ? 0 : 1) } : null,
    ...(step.pick === 11 ? { expects: { sha256: step.flag ? (head?.sha256 ?? null) : null } } : {}),
  });
}

/**
 * The lock ID of a client: of the run that holds the lock or waits for it, else of a new run, and now and then of the run
 * before, which has released it.
 */
function lockIdOf({ lock, serial }: Step, { world }: Sight): string {
  const name = `lock-${lock}.`;
  const present = [...world.holders, ...world.line].find(({ lockId }) => lockId.startsWith(name));
  const { lastRelease } = world.record;
  return present?.lockId ?? `${name}${serial === 2 ? Math.max(lastRelease - 1, 0) : lastRelease}`;
}

function claimOf(step: Step, sight: Sight): Claim {
  if (step.pick % 3 === 0) return { kind: 'none' };
  if (step.pick % 3 === 1) return { kind: 'named', lockId: lockIdOf(step, sight) };
  return { kind: 'unnamed', aliases: ALIASES.slice(0, step.lock) };
}

/** Somebody's seat who has one, now and then with the wrong name. */
function seated(step: Step, { world, node }: Sight): { waiter: string; seat: string } {
  const seats = [...world.line, ...world.holders].flatMap(({ waiter, seat }) =>
    seat === null ? [] : [{ waiter, seat }],
  );
  const chosen = seats[step.pick % Math.max(1, seats.length)];
  if (chosen === undefined) return { waiter: `lock-${step.lock}`, seat: `${node}:0` };
  return step.rare ? { ...chosen, waiter: `lock-${step.lock}` } : chosen;
}

function recordStep(step: Step, { address, world }: Sight): Command {
  const note = {
    action: step.kind,
    subject: 'token:admin',
    door: 'api',
    detail: { pick: step.pick },
    ...(step.flag ? { origin: { peer: `10.0.0.${step.pick}` } } : {}),
    ...(step.rare ? { refused: 'forbidden' } : {}),
  };
  switch (step.kind) {
    case 'credential':
      return {
        type: 'put-credential',
        credential: {
          id: `${address.project}-CREDENTIAL-${step.lock}`,
          name: `name-${step.pick}`,
          sealedSecret: bytes(`${step.flag ? 'k' : 'o'}-secret`),
          grants: [{ role: 'writer', pattern: `${address.project}/*` }],
          createdAt: step.lock,
          expiresAt: step.flag ? step.pick : null,
          revokedAt: step.rare ? step.pick : null,
        },
        note,
      };
    case 'entry': {
      const [kind, name] = [`kind-${address.project}`, `name-${step.lock}`];
      // What the entry may hold by now, or nothing, or no comparison at all.
      const expected = [undefined, null, { pick: step.serial + 5 }][step.pick % 3];
      const compared = expected === undefined ? {} : { expects: expected };
      if (step.rare) return { type: 'drop-entry', kind, name, note, ...compared };
      const body = step.flag ? bodyOf() : undefined;
      const entry = { kind, name, attributes: { pick: 3 + (step.pick % 5) } };
      return body === undefined
        ? { type: 'put-entry', entry, note: null, ...compared }
        : { type: 'put-entry', entry: { ...entry, bodyId: body.id }, body, note, ...compared };
    }
    case 'reseal':
      return {
        type: 'reseal',
        items: [
          ...world.holders.map(({ lockId }) => ({
            kind: 'holder' as const,
            address,
            lockId,
            sealed: bytes(`n-${lockId}`),
          })),
          ...world.line.map(({ waiter }) => ({
            kind: 'place' as const,
            address,
            waiter,
            sealed: bytes(`n-${waiter}`),
          })),
          ...(world.record.head === null
            ? []
            : [
                {
                  kind: 'body' as const,
                  id: world.record.head.bodyId,
                  keyId: 'n',
                  wrappedKey: bytes('n-wrapped'),
                },
              ]),
        ],
      };
    default:
      return { type: 'audit', address: step.flag ? address : null, note };
  }
}
