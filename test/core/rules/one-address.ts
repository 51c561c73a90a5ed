import type { Address } from '../../../src/core/address.ts';
import type {
  Actor,
  AddressCommand,
  Claim,
  LockCommand,
  UnlockCommand,
  WriteCommand,
} from '../../../src/core/command.ts';
import { decide, evolve, type Decision } from '../../../src/core/decide.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { NEW_WORLD, type World } from '../../../src/core/world.ts';

export const ADDRESS: Address = { project: 'acme', key: 'net/terraform.tfstate', workspace: 'default' };
export const NO_INFO: Uint8Array = new Uint8Array();
export const START = 1_700_000_000_000;

/** Somebody at work: `alice` asks for the lock as `alice-lock`, from a request that is called `node:…`. */
export interface Client {
  readonly subject: string;
  readonly lockId: string;
  readonly operation: string;
  readonly shared: boolean;
  /** Its hold ends after so long unless it is renewed; none where it has no end. */
  readonly lease?: number;
  /** How long nobody is granted the lock after that. */
  readonly delay?: number;
}

/** Who is neither of the clients, and may break their locks. */
const OPERATOR: Client = apply('operator');

export function apply(name: string, subject: string = `token:${name}`): Client {
  return { subject, lockId: `${name}-lock`, operation: 'OperationTypeApply', shared: false };
}

export function plan(name: string): Client {
  return { ...apply(name), operation: 'OperationTypePlan', shared: true };
}

/** Another run of the same client, which has a lock ID of its own as each run of Terraform has. */
export function anew(client: Client, run: number = 2): Client {
  return { ...client, lockId: `${client.lockId}-${run}` };
}

/** One address under the production rules: commands go in, time passes when it is told to. */
export class OneAddress {
  at: number = START;
  world: World = NEW_WORLD;
  last: Decision = { outcome: { type: 'left' }, effects: [], handovers: [] };
  #requests = 0;
  #bodies = 0;

  pass(seconds: number): this {
    this.at += seconds * 1_000;
    return this;
  }

  /** A client whose credential expires in a second, and has a minute of grace: that second has passed. */
  late({ subject }: Client): Actor {
    this.pass(1);
    return { subject, door: 'http', expiry: { at: this.at, graceUntil: this.at + 60_000 } };
  }

  send(command: AddressCommand): Outcome {
    this.last = decide(command, this.world, this.at);
    this.world = evolve(this.world, this.last.effects);
    return this.last.outcome;
  }

  /** Asks for the lock from a new request that could be held open. */
  lock(client: Client, more: Partial<LockCommand> = {}): Outcome {
    this.#requests += 1;
    return this.send({
      type: 'lock',
      address: ADDRESS,
      actor: actorOf(client),
      lockId: client.lockId,
      waiter: client.lockId,
      operation: client.operation,
      shared: client.shared,
      alias: 'http',
      lease: client.lease ?? null,
      delay: client.delay ?? 0,
      info: NO_INFO,
      seat: `node:${this.#requests}`,
      wait: null,
      ...more,
    });
  }

  /** Asks twice, as a client with `-lock-timeout` does, so that the second request is held open. */
  park(client: Client): string {
    this.lock(client);
    this.lock(client);
    return this.seatOf(client);
  }

  seatOf(client: Client): string {
    const place = this.world.line.find(({ lockId }) => lockId === client.lockId);
    const holder = this.world.holders.find(({ lockId }) => lockId === client.lockId);
    const seat = place?.seat ?? holder?.seat;
    if (seat === undefined || seat === null) throw new Error(`${client.lockId} has no request held open`);
    return seat;
  }

  accept(client: Client): Outcome {
    return this.#seated('accept', client, this.seatOf(client));
  }

  leave(client: Client, seat: string = this.seatOf(client)): Outcome {
    return this.#seated('leave', client, seat);
  }

  parkOver(client: Client, closing: boolean = false): Outcome {
    return this.send({
      type: 'park-over',
      address: ADDRESS,
      actor: actorOf(client),
      waiter: client.lockId,
      seat: this.seatOf(client),
      closing,
    });
  }

  unlock(client: Client, more: Partial<UnlockCommand> = {}): Outcome {
    return this.send({
      type: 'unlock',
      address: ADDRESS,
      actor: actorOf(client),
      lockId: client.lockId,
      alias: null,
      mayBreak: false,
      ...more,
    });
  }

  /** @param lease milliseconds from now on */
  renew(client: Client, lease: number | null): Outcome {
    const { lockId } = client;
    return this.send({ type: 'renew', address: ADDRESS, actor: actorOf(client), lockId, lease });
  }

  /** Time is looked at, as a node does every second. */
  expire(): Outcome {
    return this.send({ type: 'expire', address: ADDRESS, actor: actorOf(OPERATOR) });
  }

  /** An operator breaks a lock: the one that is named, or whatever lock there is. */
  forceUnlock(lockId: string | null, operator: Client = OPERATOR): Outcome {
    return this.unlock(operator, { lockId, mayBreak: true });
  }

  /** Writes under the lock of the client, unless another claim is given. Each write has bytes of its own. */
  write(client: Client, serial: number, more: Partial<WriteCommand> = {}): Outcome {
    this.#bodies += 1;
    return this.send(writeOf(client, serial, `body-${this.#bodies}`, more));
  }

  delete(client: Client, claim: Claim = { kind: 'none' }): Outcome {
    return this.send({ type: 'delete', address: ADDRESS, actor: actorOf(client), claim });
  }

  undelete(client: Client): Outcome {
    return this.send({ type: 'undelete', address: ADDRESS, actor: actorOf(client) });
  }

  purge(client: Client): Outcome {
    return this.send({ type: 'purge', address: ADDRESS, actor: actorOf(client) });
  }

  holders(): string[] {
    return this.world.holders.map(({ lockId }) => lockId);
  }

  waiters(): string[] {
    return this.world.line.map(({ waiter }) => waiter);
  }

  /** What the audit log says of the last command. */
  deeds(): string[] {
    return this.last.effects.flatMap((effect) => (effect.type === 'audit' ? [effect.note.action] : []));
  }

  #seated(type: 'accept' | 'leave', client: Client, seat: string): Outcome {
    return this.send({ type, address: ADDRESS, actor: actorOf(client), waiter: client.lockId, seat });
  }
}

export function actorOf({ subject }: Client): Actor {
  return { subject, door: 'http' };
}

/** A write whose bytes are known by a name: the same name and serial are the same bytes. */
export function writeOf(
  client: Client,
  serial: number,
  bytes: string,
  more: Partial<WriteCommand> = {},
): WriteCommand {
  const sha256 = `${bytes}-${serial}`;
  return {
    type: 'write',
    address: ADDRESS,
    actor: actorOf(client),
    claim: { kind: 'named', lockId: client.lockId },
    serial: BigInt(serial),
    lineage: 'lineage',
    terraformVersion: '1.11.4',
    encrypted: false,
    size: 100,
    sha256,
    md5: sha256,
    body: { id: sha256, keyId: 'key', wrappedKey: NO_INFO, segments: [] },
    restore: null,
    ...more,
  };
}
