import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Address } from '../core/address.ts';
import type { Role } from '../core/grant.ts';
import type { LockInfo } from '../core/lock-info.ts';
import { makeLockRequest } from '../protocols/lock-request.ts';
import { stateText } from './client-contract.ts';
import type { DoorClient, DoorCredential, DoorUnderTest, HouseUnderTest } from './door-contract-client.ts';

const WAIT_MS_MAX = 20_000;
const PAUSE_MS = 10;

/** One promise of the contract: it rejects when a door does not keep it. */
export interface DoorScene {
  readonly name: string;
  run(bench: DoorBench): Promise<void>;
}

/** What the scenes of the contract work with: one house, and people who come to it through a door. */
export class DoorBench {
  readonly house: HouseUnderTest;
  readonly door: DoorUnderTest;
  readonly #pairs = new Map<string, Promise<DoorCredential>>();
  readonly #clients: DoorClient[] = [];

  private constructor(house: HouseUnderTest, door: DoorUnderTest) {
    this.house = house;
    this.door = door;
  }

  /** @param doors those that are used, and first the one under test */
  static async open(
    house: HouseUnderTest,
    doors: readonly [DoorUnderTest, ...DoorUnderTest[]],
  ): Promise<DoorBench> {
    for (const { prepare } of doors) await prepare?.(house.url, house.admin);
    return new DoorBench(house, doors[0]);
  }

  /**
   * A person's client, whose credential is the same at every door. Each name is another subject.
   * @param door the one under test unless another is given
   */
  async person(name: string, role: Role = 'writer', door: DoorUnderTest = this.door): Promise<DoorClient> {
    const known = this.#pairs.get(name) ?? this.house.credential(role, '*', null);
    this.#pairs.set(name, known);
    return this.as(await known, door);
  }

  /** A client with this credential. */
  as(credential: DoorCredential, door: DoorUnderTest = this.door): DoorClient {
    const client = door.client(this.house.url, credential);
    this.#clients.push(client);
    return client;
  }

  /** An address that no scene has used. */
  place(workspace = 'default'): Address {
    return { project: `door-${randomUUID().slice(0, 13)}`, key: 'net/terraform.tfstate', workspace };
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/** The lock info of somebody's apply. */
export function applyInfo(who = 'alice@laptop'): LockInfo {
  return { ...makeLockRequest('OperationTypeApply', '1.11.4'), who, path: '' };
}

/** The states of one place, each newer than the one before. */
export class Lineage {
  readonly #lineage: string = randomUUID();
  #serial = 0n;

  next(more = ''): Uint8Array {
    this.#serial += 1n;
    return this.at(this.#serial, more);
  }

  at(serial: bigint, more = ''): Uint8Array {
    return stateText(serial, this.#lineage, more);
  }
}

/** Takes the lock, which must be free. */
export async function take(client: DoorClient, at: Address, info: LockInfo = applyInfo()): Promise<LockInfo> {
  expect(await client.lock(at, info)).toEqual({ type: 'granted' });
  return info;
}

/** Releases the lock, which must go well. */
export async function release(client: DoorClient, at: Address, info: LockInfo): Promise<void> {
  expect(await client.unlock(at, info)).toEqual({ type: 'released' });
}

/** Writes a state, which must be stored. */
export async function store(
  client: DoorClient,
  at: Address,
  bytes: Uint8Array,
  lock: LockInfo | null = null,
): Promise<void> {
  expect(await client.write(at, bytes, lock)).toEqual({ type: 'stored' });
}

/** Sees to it that the state there is this one, byte for byte; null for none. */
export async function expectState(client: DoorClient, at: Address, bytes: Uint8Array | null): Promise<void> {
  const reply = await client.read(at);
  if (bytes === null) {
    expect(reply).toEqual({ type: 'absent' });
    return;
  }
  expect(reply).toMatchObject({ type: 'state' });
  if (reply.type === 'state') expect(Buffer.from(reply.bytes).equals(bytes)).toBe(true);
}

/** Sees to it that the lock there is this one; null for none. */
export async function expectLock(client: DoorClient, at: Address, info: LockInfo | null): Promise<void> {
  const reply = await client.look(at);
  if (info === null) {
    expect(reply).toEqual({ type: 'free' });
    return;
  }
  const { id, operation, who, version, created } = info;
  expect(reply).toMatchObject({ type: 'locked', info: { id, operation, who, version, created } });
}

/** Sees to it that whoever asks is refused because another holds the lock and, where the door tells it, is told which. */
export async function expectHeld(
  { traits }: DoorUnderTest,
  client: DoorClient,
  at: Address,
  { asked = applyInfo('bob@desktop'), holder }: { asked?: LockInfo; holder: LockInfo },
): Promise<void> {
  const reply = await client.lock(at, asked);
  expect(reply).toMatchObject({ type: 'held' });
  if (reply.type === 'held' && traits.tellsHolder) expect(reply.holder).toMatchObject({ id: holder.id });
}

/** Asks for the lock again and again, as a client that waits for it does, until it is granted. */
export async function waitFor(
  client: DoorClient,
  at: Address,
  info: LockInfo,
  signal?: AbortSignal,
): Promise<void> {
  await until(`${info.who} is granted the lock`, async () => {
    const reply = await client.lock(at, info, signal);
    if (reply.type === 'refused') throw new Error(`a waiter was refused: ${reply.says}`);
    return reply.type === 'granted';
  });
}

/**
 * Waits until something is so.
 * @throws after 20 s, naming what was waited for
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS_MAX} ms in vain: ${what}`);
    await sleep(PAUSE_MS);
  }
}
