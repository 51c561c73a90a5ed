import type { AddressCommand, WriteCommand } from '../../../../src/core/command.ts';
import { evolve, type Decision } from '../../../../src/core/decide.ts';
import type { Instant } from '../../../../src/core/instant.ts';
import { NEW_WORLD, type World } from '../../../../src/core/world.ts';
import { apply, plan, START, type Client } from '../one-address.ts';

/** A client, and whether its door can name the lock that it writes under. */
export interface Player extends Client {
  readonly names: boolean;
}

export const ALICE: Player = { ...apply('alice'), names: true };
export const BOB: Player = { ...apply('bob'), names: true };
/** Keeps its state in S3, where a write names no lock. */
export const SAM: Player = { ...apply('sam'), names: false };
export const CAROL: Player = { ...plan('carol'), names: true };
export const DAVE: Player = { ...plan('dave'), names: true };
/** Her hold ends after a minute, and for twenty seconds after that nobody is granted the lock. */
export const LENA: Player = { ...apply('lena'), names: true, lease: 60_000, delay: 20_000 };
/** Hers ends after twenty seconds, and the lock is free then. */
export const MAX: Player = { ...apply('max'), names: true, lease: 20_000 };
export const ERIN: Player = { ...plan('erin'), names: true };

/** What may happen besides asking, being parked, being granted, hanging up and releasing. */
export type Happening =
  /** Time: a little, past a sleeping waiter's patience, past a dead node's. */
  | 'time'
  /** Connections break and requests are sent again, so that a client has an old request beside a new one. */
  | 'reconnect'
  /** Lock requests are copied on their way and come late, even after their own release; a copy's connection is dead. */
  | 'copies'
  /** Holds end by themselves unless they are renewed. */
  | 'leases'
  | 'writes'
  /** An operator breaks locks. */
  | 'breaks'
  /** Someone without a lock writes, removes the state and brings it back. */
  | 'stranger';

/** Who takes part in an exploration, and what may happen in it. */
export interface Scope {
  readonly players: readonly Player[];
  readonly happenings: readonly Happening[];
}

/** What a client knows, and which of its requests are still open: the other side of the world. */
export interface Party {
  readonly player: Player;
  /** How many runs it has ended: each has a lock ID of its own. */
  readonly run: number;
  /** The fence of the grant it was told of and has not released; it may have lost it since. */
  readonly fence: number | null;
  /** Its request that is held open. */
  readonly open: string | null;
  /** An older request whose connection has not closed yet. */
  readonly stale: string | null;
  /** The request by which it was told of its grant, while the answer may still be under way. */
  readonly answered: string | null;
  /** It has heard of its grant for certain. */
  readonly heard: boolean;
  /** A copy of its lock request, while its answer may still be under way to nobody. */
  readonly copy: string | null;
  /** Its last write that was answered with success. */
  readonly written: WriteCommand | null;
  /** It was told that its lock is released, and has not asked since. */
  readonly unlocked: boolean;
  /** It was told that its lock ID has had the lock already: this run is over. */
  readonly over: boolean;
  /** The lock ID that it released last, and when. */
  readonly spent: { readonly lockId: string; readonly at: Instant } | null;
}

export interface Situation {
  readonly at: Instant;
  readonly world: World;
  readonly parties: readonly Party[];
}

/** What may happen next: a command that somebody sends, an answer that arrives, or time that passes. */
export interface Move {
  readonly name: string;
  readonly command: AddressCommand | null;
  /** The sender is a copy of a request: its client learns nothing by it. */
  readonly copied: boolean;
  /** What the client knows once an answer has arrived; null for a command and for time. */
  readonly learnt: Party | null;
  /** Who of the players sends it; -1 for the operator, the stranger and time. */
  readonly by: number;
  readonly wait: number;
}

export function beginning({ players }: Scope): Situation {
  return {
    at: START,
    world: NEW_WORLD,
    parties: players.map((player) => ({
      player,
      run: 0,
      fence: null,
      open: null,
      stale: null,
      answered: null,
      heard: false,
      copy: null,
      written: null,
      unlocked: false,
      over: false,
      spent: null,
    })),
  };
}

/** The lock ID of a client's present run. */
export function lockIdOf({ player, run }: Party): string {
  return run === 0 ? player.lockId : `${player.lockId}-${run}`;
}

/** The situation after a command was decided: the rows as an engine stores them, and what the sender learns. */
export function after(situation: Situation, move: Move, decision: Decision): Situation {
  const world = evolve(situation.world, decision.effects);
  const parties = situation.parties.map((party, index) =>
    index === move.by && move.command !== null ? learnFrom(move, party, decision, situation.at) : party,
  );
  return { at: situation.at, world, parties };
}

function learnFrom({ command, copied }: Move, party: Party, decision: Decision, at: Instant): Party {
  if (command === null) return party;
  if (!copied) return learn(party, command, decision, at);
  const waits = command.type === 'lock' && decision.outcome.type === 'granted';
  return { ...party, copy: waits ? command.seat : null };
}

function learn(party: Party, command: AddressCommand, { outcome }: Decision, at: Instant): Party {
  switch (command.type) {
    case 'lock': {
      const stale = party.open ?? party.stale;
      const granted = outcome.type === 'granted' ? outcome : null;
      const parked = outcome.type === 'held' && outcome.parkFor !== null;
      return {
        ...party,
        run: command.lockId === lockIdOf(party) ? party.run : party.run + 1,
        unlocked: false,
        over: outcome.type === 'released-before',
        heard: false,
        stale,
        fence: granted?.holder.fence ?? null,
        answered: granted === null ? null : command.seat,
        open: parked ? command.seat : null,
        // Who asks for a lock that it does not hold is a new run, which knows nothing of the last one's writes.
        written: granted?.again === true ? party.written : null,
      };
    }
    case 'accept':
      if (command.seat === party.stale) return party;
      return outcome.type === 'granted'
        ? { ...party, fence: outcome.holder.fence, answered: command.seat, heard: false, open: null }
        : { ...party, open: null };
    case 'park-over':
      if (command.seat === party.stale) return { ...party, stale: null };
      // A grant that is found here is taken up by the `accept` that follows.
      if (outcome.type === 'granted' || (outcome.type === 'held' && outcome.parkFor !== null)) return party;
      return { ...party, open: null };
    case 'leave':
      // Another node believes that this client's node is dead; the client knows nothing of it.
      if (command.unheard === true) return party;
      if (command.seat === party.stale) return { ...party, stale: null };
      if (command.seat === party.open) return { ...party, open: null };
      return { ...party, answered: null, heard: false, fence: null };
    case 'unlock': {
      const unlocked = outcome.type === 'released';
      const spent = unlocked ? { lockId: lockIdOf(party), at } : party.spent;
      return { ...party, fence: null, answered: null, heard: false, unlocked, spent };
    }
    case 'renew':
      return outcome.type === 'renewed'
        ? { ...party, answered: null, heard: true }
        : { ...party, fence: null };
    case 'write':
      // Who writes has evidently heard of its grant.
      return {
        ...party,
        answered: null,
        heard: party.fence !== null,
        written: outcome.type === 'stored' ? command : party.written,
      };
    default:
      return party;
  }
}
