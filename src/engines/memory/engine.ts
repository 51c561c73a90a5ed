import type { GoneObject } from '../../ports/body-store.ts';
import { isDeepStrictEqual } from 'node:util';
import { formatAddress, type Address } from '../../core/address.ts';
import type { AddressCommand } from '../../core/command.ts';
import type { Credential } from '../../core/credential.ts';
import { decide, evolve, nextEnd } from '../../core/decide.ts';
import type { AuditNote, Effect } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import { NO_USAGE, sumOf, usageChange, type Usage } from '../../core/quota.ts';
import { liveHead, NEW_WORLD, type Version, type World } from '../../core/world.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type AuditFilter,
  type AuditQuery,
  type AuditStretch,
  auditPruned,
  type AuditRecord,
  type Changes,
  type Command,
  type CommandResult,
  CONFLICT,
  type Engine,
  type EngineTraits,
  type Entry,
  type EntryPage,
  type Expected,
  NOTED,
  type RecordCommand,
  resultOf,
  type WaitingRequest,
  type StateQuery,
  type StateSummary,
  type StoredBody,
  type StoredFigures,
} from '../../ports/engine.ts';
import type { BodyMark, Resealed } from '../../ports/sealed-anew.ts';
import type { IndexPage, IndexQuery, IndexRow } from '../../ports/state-index.ts';
import { fits, isChange } from './audit.ts';
import { MemoryBodies } from './bodies.ts';
import { compareBytes, otherSealed, selectStates } from './queries.ts';
import { changeCredential, dropCredentials, reseal, type Sealed } from './records.ts';
import { MemoryIndex } from './state-index.ts';

type EntryName = Pick<Entry, 'kind' | 'name'>;

/** What one address keeps. */
export interface StoredAddress {
  readonly address: Address;
  world: World;
  versions: Version[];
}

/**
 * The reference model: everything in maps, every rule in `decide`. The other engines are checked against it, so it is
 * written to be read, not to be fast. It keeps nothing after the process ends.
 */
export class MemoryEngine implements Engine {
  readonly traits: EngineTraits = { name: 'memory', shared: false };
  readonly #clock: Clock;
  readonly #keyIdOf: (sealed: Uint8Array) => string;
  readonly #kept = new Map<string, StoredAddress>();
  readonly #bodies = new MemoryBodies();
  readonly #credentials = new Map<string, Credential>();
  readonly #entries = new Map<string, Entry>();
  readonly #audit: AuditRecord[] = [];
  readonly #usage = new Map<string, Usage>();
  readonly #index = new MemoryIndex();
  /** How many records of the audit log were forgotten. */
  #pruned = 0;

  /** @param keyIdOf reads the id of the master key that something small was sealed under */
  constructor(clock: Clock, keyIdOf: (sealed: Uint8Array) => string = () => '') {
    this.#clock = clock;
    this.#keyIdOf = keyIdOf;
  }

  async apply(commands: readonly Command[]): Promise<readonly CommandResult[]> {
    return commands.map((command) =>
      'actor' in command ? this.#decide(command) : this.#record(command, this.#clock.now()),
    );
  }

  async world(address: Address): Promise<World> {
    return shown(this.#kept.get(formatAddress(address))?.world ?? NEW_WORLD);
  }

  async versions(address: Address, query: { before?: number; limit: number }): Promise<readonly Version[]> {
    const { before = Infinity, limit } = query;
    return this.#versionsOf(address)
      .filter(({ number }) => number < before)
      .sort((a, b) => b.number - a.number)
      .slice(0, limit);
  }

  async version(address: Address, number: number | null): Promise<Version | null> {
    if (number === null) return liveHead((await this.world(address)).record);
    return this.#versionsOf(address).find((version) => version.number === number) ?? null;
  }

  async states(query: StateQuery): Promise<readonly StateSummary[]> {
    return selectStates([...this.#kept.values()], query).map(({ address, world }) => ({
      address,
      world: shown(world),
    }));
  }

  async body(bodyId: string): Promise<StoredBody | null> {
    return this.#bodies.read(bodyId);
  }

  async credentials(): Promise<readonly Credential[]> {
    return [...this.#credentials.values()].sort((a, b) => a.createdAt - b.createdAt);
  }

  async entries(
    kind: string | null,
    { after, limit }: EntryPage = { limit: Infinity },
  ): Promise<readonly Entry[]> {
    const order = (a: EntryName, b: EntryName): number =>
      compareBytes(a.kind, b.kind) || compareBytes(a.name, b.name);
    return [...this.#entries.values()]
      .filter((entry) => kind === null || entry.kind === kind)
      .filter((entry) => after === undefined || order(entry, after) > 0)
      .sort(order)
      .slice(0, limit);
  }

  async entry(kind: string, name: string): Promise<Entry | null> {
    return this.#entries.get(`${kind}\n${name}`) ?? null;
  }

  indexed(query: IndexQuery): Promise<IndexPage> {
    return this.#index.indexed(query);
  }

  indexRows(names: readonly string[]): Promise<readonly IndexRow[]> {
    return this.#index.indexRows(names);
  }

  async usage(project: string): Promise<Usage> {
    return this.#usage.get(project) ?? NO_USAGE;
  }

  async audit({ before = Infinity, limit, ...filter }: AuditQuery): Promise<readonly AuditRecord[]> {
    return this.#audit
      .filter((record) => record.id < before && fits(record, filter))
      .reverse()
      .slice(0, limit);
  }

  async auditAfter(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    return this.#stretch(after, limit, (record): record is AuditRecord => fits(record, filter));
  }

  async changes(after: number | null, limit: number): Promise<Changes> {
    return this.#stretch(after, limit, isChange);
  }

  #stretch<R extends AuditRecord>(
    after: number | null,
    limit: number,
    isAsked: (record: AuditRecord) => record is R,
  ): AuditStretch<R> {
    const end = Math.max(this.#audit.at(-1)?.id ?? 0, after ?? 0);
    const records = this.#audit
      .filter(({ id }) => id > (after ?? end))
      .filter(isAsked)
      .slice(0, limit);
    const position = records.length < limit ? end : (records.at(-1)?.id ?? end);
    return { records, position, ...((after ?? end) < this.#pruned ? { pruned: true } : {}) };
  }

  async auditHead(): Promise<string> {
    return '';
  }

  async beat(node: string): Promise<readonly string[]> {
    return [node];
  }

  async seats(query: { node: string } | { notNode: string }): Promise<readonly WaitingRequest[]> {
    const isWanted = (seat: string | null): seat is string =>
      seat !== null &&
      ('node' in query ? seat.startsWith(`${query.node}:`) : !seat.startsWith(`${query.notNode}:`));
    return [...this.#kept.values()].flatMap(({ address, world }) => [
      ...world.line
        .filter(({ seat }) => isWanted(seat))
        .map(({ waiter, seat }) => ({ address, waiter, seat: seat as string, granted: false })),
      ...world.holders
        .filter(({ seat, accepted }) => !accepted && isWanted(seat))
        .map(({ waiter, seat }) => ({ address, waiter, seat: seat as string, granted: true })),
    ]);
  }

  async ending(limit: number): Promise<readonly Address[]> {
    const now = this.#clock.now();
    return [...this.#kept.values()]
      .filter(({ world }) => (nextEnd(world) ?? Infinity) <= now)
      .map(({ address }) => address)
      .slice(0, limit);
  }

  async figures(): Promise<StoredFigures> {
    const kept = [...this.#kept.values()];
    const segments = [...this.#bodies.all.values()].flatMap((body) => body.segments);
    return {
      states: kept.filter(({ world }) => liveHead(world.record) !== null).length,
      versions: kept.reduce((sum, { versions }) => sum + versions.length, 0),
      bytes: segments.reduce((sum, { length }) => sum + length, 0),
    };
  }

  async sealedUnderOther(keyId: string, limit: number): Promise<readonly Resealed[]> {
    return otherSealed(this.#sealed(), keyId, this.#keyIdOf).slice(0, limit);
  }

  async bodies(after: string | null, limit: number): Promise<readonly BodyMark[]> {
    return this.#bodies.marks(after, limit);
  }

  async objects(after: string | null, limit: number): Promise<readonly string[]> {
    return this.#bodies.objects(after, limit);
  }

  async goneObjects(after: string | null, limit: number): Promise<readonly GoneObject[]> {
    return this.#bodies.goneObjects(after, limit);
  }

  async now(): Promise<Instant> {
    return this.#clock.now();
  }

  async check(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #versionsOf(address: Address): Version[] {
    return this.#kept.get(formatAddress(address))?.versions ?? [];
  }

  #decide(command: AddressCommand): CommandResult {
    const { address } = command;
    const at = this.#clock.now();
    const { world } = this.#kept.get(formatAddress(address)) ?? { world: NEW_WORLD };
    const usage = this.#usage.get(address.project) ?? NO_USAGE;
    const decision = decide(command, { ...world, usage }, at);
    this.#store(address, decision.effects, at);
    return resultOf(decision);
  }

  #store(address: Address, effects: readonly Effect[], at: Instant): void {
    if (effects.length === 0) return;
    const name = formatAddress(address);
    const kept = this.#kept.get(name) ?? { address, world: NEW_WORLD, versions: [] };
    this.#kept.set(name, kept);
    this.#count(kept, effects);
    kept.world = evolve(kept.world, effects);
    for (const effect of effects) this.#keep(kept, effect, at);
  }

  #count({ address: { project }, world, versions }: StoredAddress, effects: readonly Effect[]): void {
    const change = usageChange(world, effects, (numbers) =>
      versions.filter(({ number }) => numbers === 'all' || numbers.includes(number)).map(({ size }) => size),
    );
    this.#usage.set(project, sumOf(this.#usage.get(project) ?? NO_USAGE, change));
  }

  #keep(kept: StoredAddress, effect: Effect, at: Instant): void {
    switch (effect.type) {
      case 'put-version':
        kept.versions.push(effect.version);
        this.#bodies.keep(effect.body);
        break;
      case 'drop-versions':
        this.#drop(kept, ({ number }) => effect.numbers.includes(number));
        break;
      case 'drop-all':
        this.#drop(kept, () => true);
        this.#index.store({ type: 'drop-index', names: [formatAddress(kept.address)] });
        break;
      case 'audit':
        this.#note(at, kept.address, effect.note);
        break;
      case 'put-record':
      case 'put-holder':
      case 'drop-holder':
      case 'put-place':
      case 'drop-place':
      case 'put-release':
      case 'drop-releases':
        // Rows of the world, which evolve has in it.
        break;
      default:
        effect satisfies never;
    }
  }

  #drop(kept: StoredAddress, goes: (version: Version) => boolean): void {
    for (const { bodyId } of kept.versions.filter(goes)) this.#bodies.drop(bodyId);
    kept.versions = kept.versions.filter((version) => !goes(version));
  }

  #record(command: RecordCommand, at: Instant): CommandResult {
    switch (command.type) {
      case 'put-credential':
        this.#credentials.set(command.credential.id, command.credential);
        break;
      case 'change-credential':
        if (!changeCredential(this.#credentials, command)) return CONFLICT;
        break;
      case 'drop-credentials':
        dropCredentials(this.#credentials, command);
        break;
      case 'put-entry':
        if (!this.#isStored(command.entry.kind, command.entry.name, command.expects)) return CONFLICT;
        this.#dropEntry(command.entry.kind, command.entry.name);
        this.#entries.set(`${command.entry.kind}\n${command.entry.name}`, command.entry);
        if (command.body !== undefined) this.#bodies.keep(command.body);
        break;
      case 'drop-entry':
        if (!this.#isStored(command.kind, command.name, command.expects)) return CONFLICT;
        this.#dropEntry(command.kind, command.name);
        break;
      case 'audit':
        break;
      case 'prune-audit':
        return auditPruned(this.#pruneAudit(command, at));
      case 'adopt':
        this.#store(command.address, command.effects, at);
        return NOTED;
      case 'reseal':
        for (const item of command.items) reseal(this.#sealed(), item);
        return NOTED;
      case 'replace-bodies':
        for (const replaced of command.bodies) this.#bodies.replace(replaced);
        return NOTED;
      case 'forget-objects':
        this.#bodies.forgetObjects(command.names);
        return NOTED;
      case 'put-index':
      case 'drop-index':
        this.#index.store(command);
        return NOTED;
      default:
        command satisfies never;
    }
    if (command.note !== null) {
      const [address, when] = command.type === 'audit' ? [command.address, command.at ?? at] : [null, at];
      this.#note(when, address, command.note);
    }
    return NOTED;
  }

  #note(at: Instant, address: Address | null, note: AuditNote): void {
    this.#audit.push({ id: this.#pruned + this.#audit.length + 1, at, address, note });
  }

  #pruneAudit({ before, limit, note }: Extract<RecordCommand, { type: 'prune-audit' }>, at: Instant): number {
    const old = this.#audit.slice(0, -1).slice(0, limit);
    const kept = old.findIndex((record) => record.at >= before);
    const records = kept === -1 ? old.length : kept;
    this.#audit.splice(0, records);
    this.#pruned += records;
    if (records > 0 && note !== null) this.#note(at, null, note);
    return records;
  }

  #isStored(kind: string, name: string, expects: Expected | undefined): boolean {
    const { attributes = null } = this.#entries.get(`${kind}\n${name}`) ?? {};
    return expects === undefined || isDeepStrictEqual(attributes, expects);
  }

  #dropEntry(kind: string, name: string): void {
    const { bodyId } = this.#entries.get(`${kind}\n${name}`) ?? {};
    if (bodyId !== undefined) this.#bodies.drop(bodyId);
    this.#entries.delete(`${kind}\n${name}`);
  }

  #sealed(): Sealed {
    return { bodies: this.#bodies.all, credentials: this.#credentials, kept: this.#kept };
  }
}

/** Releases are loaded for commands alone. */
function shown(world: World): World {
  return { ...world, releases: [] };
}
