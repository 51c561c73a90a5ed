import { createHash } from 'node:crypto';
import { checkHistory } from '../../src/contract/history-checker.ts';
import type { Grant } from '../../src/core/grant.ts';
import type { Caller } from '../../src/house/caller.ts';
import { UPLOAD_KIND, uploadOfPieceKind } from '../../src/house/records/kinds.ts';
import { FINISHED_LIFE } from '../../src/house/states/upload-limits.ts';
import { SWEEP_MS } from '../../src/house/states/uploads.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';
import { Keyring } from '../../src/keyring/keyring.ts';
import type { Pair } from '../support/test-admin.ts';
import { AwsBackend } from './clients/aws-backend.ts';
import { stateOf, type Backend } from './clients/backend.ts';
import { Client } from './clients/client.ts';
import { HttpBackend } from './clients/http-backend.ts';
import { Run, type RunPlan } from './clients/run.ts';
import { Uploader, type UploadPlan } from './clients/uploader.ts';
import { Database, type DatabaseFaults } from './house/database-engine.ts';
import { Store } from './house/engine.ts';
import type { DiskFaults } from './house/file-engine.ts';
import { LabNode, type Storage } from './house/node.ts';
import { SignalNetwork } from './house/signals.ts';
import { CALM, Network } from './network/network.ts';
import { Misfortune } from './misfortune.ts';
import type { Door, Scenario } from './scenario.ts';
import type { Dice } from './time/dice.ts';
import { Trace } from './time/trace.ts';
import { VirtualTime } from './time/virtual-time.ts';
import { History } from './watch/history.ts';
import { ADDRESS, Observer } from './watch/observer.ts';
import { brokenInTheEnd } from './watch/final-rules.ts';
import { SPECIFICATION, withTakeBacks } from './watch/specification.ts';

const SECOND = 1_000;
/** Until when all must have come to an end, after everything has become calm. */
const PATIENCE_MS = 600 * SECOND;
/** How soon a run must be served by a house in which nothing is going on. */
const PROBE_MS = 60 * SECOND;
/** After calm weather, the last trouble is over by then, the last late copy has come, and a dead connection is found out. */
const REST_MS = 100 * SECOND;
/** How often an operator looks whether the lock is held by a run that has ended. */
const OPERATOR_MS = 10 * SECOND;
/** A killed process is started again after so long. */
const RESTART_MS = 2 * SECOND;
/** A history that takes more steps to be put in order is not judged. */
const ORDER_STEPS_MAX = 20_000;

/** Until then an upload that nobody finishes is dropped, and one that was finished is forgotten. */
const UPLOADS_END_MS = FINISHED_LIFE + 2 * SWEEP_MS + 60 * SECOND;

const SEALER = new Keyring([makeMasterKey(Buffer.alloc(32, 7))]);
const FIRST: Caller = {
  identity: { subject: 'house:first-start', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'house',
};

/** The code of doors is loaded when they are opened, which takes time that is not virtual. */
const doorsLoaded = Promise.all([
  import('../../src/protocols/consul/door/door.ts'),
  import('../../src/protocols/http/door/door.ts'),
  import('../../src/protocols/s3/door/door.ts'),
  import('../../src/protocols/dynamodb/door/door.ts'),
  import('../../src/protocols/dynamodb/door/operations.ts'),
  import('../../src/protocols/gcs/door/door.ts'),
  import('../../src/protocols/sts/door/door.ts'),
  import('../../src/protocols/azurerm/door/door.ts'),
  import('../../src/protocols/hcp/door/door.ts'),
]);

/** A house of some nodes, its clients, what befalls them, and who watches. */
export class Simulation {
  readonly time: VirtualTime = new VirtualTime();
  readonly trace: Trace;
  readonly observer: Observer;
  readonly history: History;
  readonly #scenario: Scenario;
  readonly #dice: Dice;
  readonly #store: Store;
  readonly #nodes: readonly LabNode[];
  readonly #network: Network;
  readonly #misfortune: Misfortune;
  readonly #runs: Run[] = [];
  #pairs: readonly Pair[] = [];
  #ports = 1_024;

  constructor(scenario: Scenario, dice: Dice, isTraced: boolean) {
    this.#scenario = scenario;
    this.#dice = dice;
    this.trace = new Trace(this.time, isTraced);
    const [skew = 0] = scenario.storage === 'file' ? scenario.skews : [];
    const now = (): number => this.time.instant + skew;
    this.observer = new Observer({ time: this.time, trace: this.trace, now });
    this.history = new History(this.time, {
      hasState: () => this.observer.world.record.lastVersion > 0,
      saidAbsent: () => this.observer.fail('absent is said of what is not there', 'a state is'),
    });
    this.#store = new Store(now, async (command, result) => {
      await this.observer.committed(this.#store, command, result);
      this.#misfortune.passes(command, result);
    });
    const disk: DiskFaults = {
      flushMs: scenario.latency,
      isBusy: false,
      isFull: false,
      flips: 0,
      flipped: 0,
    };
    const link: DatabaseFaults = { latencyMs: scenario.latency / 3, broken: 0 };
    const signals = new SignalNetwork(this.time, dice.fork());
    const database = new Database(this.#store, now);
    const storage: Storage =
      scenario.storage === 'file'
        ? { kind: 'file', store: this.#store, faults: disk }
        : { kind: 'database', database, faults: link, signals };
    this.#nodes = scenario.skews.map(
      (off, index) =>
        new LabNode({
          name: `node-${index}`,
          time: this.time,
          dice: dice.fork(),
          trace: this.trace,
          storage,
          sealer: SEALER,
          skew: () => off,
          onDeath: () => this.time.after(RESTART_MS, () => this.#nodes[index]?.start()),
          onBug: (what) => this.observer.fail('nothing fails that was not made to', what),
        }),
    );
    this.#misfortune = new Misfortune({
      scenario,
      time: this.time,
      trace: this.trace,
      nodes: this.#nodes,
      faults: { disk, link, signals },
      runOf: (lockId) => this.#runs.find(({ info }) => info.id === lockId),
      breakLock: () => void this.#break(() => true),
    });
    this.#network = new Network({
      time: this.time,
      dice: dice.fork(),
      trace: this.trace,
      nodes: this.#nodes,
      watch: {
        handed: (lockId) => this.observer.told(lockId),
        crashed: (lockId) => this.observer.told(lockId),
        asks: (lockId) => this.#misfortune.lurks('asks', lockId),
        copied: ({ input }) => {
          if (input !== null && input.type !== 'read') this.history.unheard(input);
        },
      },
    });
  }

  /** Runs it to its end. What is wrong is in {@link observer}. */
  async run(): Promise<void> {
    const { time } = this;
    await this.#open();
    this.#begin();
    const end = this.#scenario.calmAt + PATIENCE_MS;
    await time.run(end, () => this.observer.violation !== null || this.#isOver());
    if (this.observer.violation !== null) return;
    if (!this.#isOver()) return this.#tellWhatIsStuck();
    await this.#probe();
    if (this.observer.violation === null) await this.#checkStored();
    if (this.observer.violation === null) this.#checkOrder();
    if (this.observer.violation === null) await this.#checkUploads();
  }

  /** Starts the nodes, and makes a credential for each of those who will come. */
  async #open(): Promise<void> {
    await doorsLoaded;
    const [first] = this.#nodes as [LabNode];
    for (const node of this.#nodes) node.start();
    await this.time.run(SECOND * 60, () => this.#nodes.every(({ isListening }) => isListening));
    const grants: readonly (readonly [string, Grant])[] = [
      ['ci-a', { role: 'writer', pattern: '*' }],
      ['ci-b', { role: 'writer', pattern: '*' }],
      ['operator', { role: 'operator', pattern: '*' }],
    ];
    const making = grants.map(async ([name, grant]): Promise<Pair> => {
      const made = await first.house?.credentials.create(FIRST, { name, grants: [grant], expiresAt: null });
      if (made?.type !== 'created') throw new Error(`the credential was not made: ${made?.type}`);
      return { id: made.credential.id, secret: made.secret };
    });
    const made = this.#keep(Promise.all(making));
    await this.time.run(SECOND * 60, () => this.#pairs.length > 0);
    await made;
    // Other nodes learn of a credential within two seconds.
    const from = this.time.now;
    await this.time.run(from + 2_500, () => false);
  }

  async #keep(making: Promise<readonly Pair[]>): Promise<void> {
    this.#pairs = await making;
  }

  #begin(): void {
    const { weather, troubles, runs, calmAt, looks, strayWrites, breaks, uploads } = this.#scenario;
    const { time } = this;
    this.#network.weather = weather;
    for (const plan of runs) this.#start(plan, plan.door, plan.subject, `10.0.0.${plan.host + 1}`);
    for (const [index, plan] of uploads.entries()) this.#upload(plan, `10.0.3.${index + 1}`);
    for (const trouble of troubles) time.after(trouble.at, () => this.#misfortune.befall(trouble));
    for (const at of looks) time.after(at, () => void this.#backend('http', 0, '10.0.1.1').read());
    for (const at of strayWrites) time.after(at, () => void this.#strayWrite());
    for (const at of breaks) time.after(at, () => void this.#break(() => true));
    time.after(calmAt, () => {
      this.trace.note('weather', 'calms down');
      this.#network.weather = CALM;
    });
    const operate = (): void => {
      void this.#break(({ lockId }) => this.#isLeftBehind(lockId));
      time.after(OPERATOR_MS, operate);
    };
    time.after(OPERATOR_MS, operate);
  }

  #start(plan: RunPlan, door: Door, subject: number, peer: string): Run {
    const client = this.#client(peer);
    const backend = this.#backendOf(client, door, subject);
    const run = new Run(plan, { client, backend, dice: this.#dice.fork(), watch: this.observer });
    this.#runs.push(run);
    this.observer.add(run);
    run.begin();
    return run;
  }

  #upload(plan: UploadPlan, peer: string): void {
    const client = this.#client(peer);
    const pair = this.#pairs[plan.subject] as Pair;
    const isWrong = (rule: string, what: string): void => this.observer.fail(rule, what);
    new Uploader(plan, { client, pair, dice: this.#dice.fork(), isWrong }).begin();
  }

  #client(peer: string): Client {
    this.#ports += 1;
    return new Client({ host: { peer, port: this.#ports }, time: this.time, network: this.#network });
  }

  #backend(door: Door, subject: number, peer: string): Backend {
    return this.#backendOf(this.#client(peer), door, subject);
  }

  #backendOf(client: Client, door: Door, subject: number): Backend {
    const pair = this.#pairs[subject] as Pair;
    const { history } = this;
    return door === 'http'
      ? new HttpBackend(client, pair, history)
      : new AwsBackend(client, pair, {
          history,
          dice: this.#dice.fork(),
          means: door,
          saidNothing: (lockId) => this.#saidNothing(lockId),
        });
  }

  /** Somebody writes with `-lock=false`. */
  async #strayWrite(): Promise<void> {
    const backend = this.#backend('http', 1, '10.0.1.2');
    const read = await backend.read();
    if (read === 'failed') return;
    const { serial, lineage } = read === 'absent' ? { serial: 0, lineage: 'stray' } : read;
    await backend.write(stateOf(serial + 1, lineage, `stray-${this.time.now}`), null);
  }

  /** An operator breaks the locks that somebody left behind: it knows whose run has ended. */
  async #break(isMeant: (holder: { readonly lockId: string }) => boolean): Promise<void> {
    const holder = this.observer.world.holders.find(isMeant);
    const info = this.#runs.find(({ info: { id } }) => id === holder?.lockId)?.info;
    if (info === undefined) return;
    this.trace.note('operator', `breaks ${info.id}`);
    await this.#backend('http', 2, '10.0.1.3').unlock(info);
  }

  #isLeftBehind(lockId: string): boolean {
    const run = this.#runs.find(({ info }) => info.id === lockId);
    // Of a grant that its client did not acknowledge the house learns by itself, and shows it as such meanwhile.
    const isHeard = !this.#network.isInDoubt(lockId);
    return run !== undefined && run.ending !== null && isHeard && this.observer.hasOwner(lockId);
  }

  /** A node that was not killed meanwhile, and through which all requests came once, remembers for whom it refused somebody. */
  #saidNothing(lockId: string): void {
    const { storage, weather } = this.#scenario;
    const isRemembered = storage === 'file' && this.#nodes.every(({ deaths }) => deaths === 0);
    if (isRemembered && weather.copied === 0 && !this.observer.hasBreaks)
      this.observer.fail('who was refused for a lock is told who has it', lockId);
  }

  #isOver(): boolean {
    return this.#runs.every(({ ending }) => ending !== null) && this.observer.world.holders.length === 0;
  }

  #tellWhatIsStuck(): void {
    const { holders, line } = this.observer.world;
    const ownerless = this.observer.ownerless().map(({ lockId }) => lockId);
    const waiting = this.#runs.filter(({ ending }) => ending === null).map(({ info }) => info.id);
    const held = holders.map(({ lockId }) => lockId).join(', ');
    if (ownerless.length > 0) this.observer.fail('a lock has an owner who can be told', ownerless.join(', '));
    this.observer.fail(
      'everybody comes to an end',
      `${waiting.join(', ')} wait for ${held}; ${line.length} in line`,
    );
  }

  /** Once all is calm, a newcomer is served. */
  async #probe(): Promise<void> {
    await this.time.run(this.#scenario.calmAt + REST_MS, () => this.observer.violation !== null);
    await this.time.run(this.time.now + PATIENCE_MS, () => this.#isOver());
    const plan = { plan: false, work: 10, writes: 1, patience: PROBE_MS, fate: null };
    const run = this.#start({ name: 'apply-last', beginsAt: 0, ...plan }, 'http', 0, '10.0.2.1');
    await this.time.run(this.time.now + PROBE_MS, () => run.ending !== null && this.#isOver());
    if (run.ending !== 'done')
      this.observer.fail('a house at rest serves', `the last run ended: ${run.ending}`);
    const parked = this.#nodes.reduce((sum, { house }) => sum + (house?.parked ?? 0), 0);
    if (parked > 0) this.observer.fail('nobody is left parked', `${parked}`);
  }

  /** Every write that was answered is among the versions, and the newest is shown. */
  async #checkStored(): Promise<void> {
    const versions = await this.#store.kept.versions(ADDRESS, { limit: 10_000 });
    const serials = new Map(versions.map((version) => [version.sha256, version]));
    for (const state of this.observer.answered) {
      if (!serials.has(digestOf(state.text))) {
        this.observer.fail('an answered write is kept', `serial ${state.serial}`);
      }
    }
    const numbers = versions.map(({ number }) => number);
    if (numbers.some((number, index) => number !== numbers.length - index)) {
      this.observer.fail('versions are numbered from 1 up', numbers.join(' '));
    }
    const { kept } = this.#store;
    const { project } = ADDRESS;
    const broken = brokenInTheEnd({
      versions,
      audit: await kept.audit({ address: ADDRESS, limit: 100_000 }),
      usage: await kept.usage(project),
      fence: this.observer.world.record.fence,
    });
    if (broken !== null) this.observer.fail(broken.rule, broken.what);
  }

  /** Whatever is begun comes to an end, whether or not anybody ends it. */
  async #checkUploads(): Promise<void> {
    if (this.#scenario.uploads.length === 0) return;
    await this.time.run(this.time.now + UPLOADS_END_MS, () => this.observer.violation !== null);
    const entries = await this.#store.kept.entries(null);
    const left = entries.filter(({ kind }) => kind === UPLOAD_KIND || uploadOfPieceKind(kind) !== null);
    if (left.length > 0)
      this.observer.fail('an upload that is begun comes to an end', left.map(({ kind }) => kind).join(', '));
  }

  #checkOrder(): void {
    const operations = withTakeBacks(this.history.operations);
    const verdict = checkHistory(SPECIFICATION, operations, ORDER_STEPS_MAX);
    this.trace.note('history', `${operations.length} operations: ${verdict.type}`);
    if (verdict.type === 'not-linearizable') {
      const sorted = [...operations].sort((a, b) => a.began - b.began);
      const stuck = verdict.stuck.map((at) => JSON.stringify(sorted[at])).join('; ');
      this.observer.fail('a history has an order', `after ${verdict.ordered}: ${stuck}`);
    }
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
