import type { Command, CommandResult } from '../../src/ports/engine.ts';
import type { Run } from './clients/run.ts';
import type { DatabaseFaults } from './house/database-engine.ts';
import type { DiskFaults } from './house/file-engine.ts';
import type { LabNode } from './house/node.ts';
import type { SignalNetwork } from './house/signals.ts';
import { isMoment, type Ambush, type Moment, type Scenario, type Trouble } from './scenario.ts';
import type { Trace } from './time/trace.ts';
import type { VirtualTime } from './time/virtual-time.ts';

interface Parts {
  readonly scenario: Scenario;
  readonly time: VirtualTime;
  readonly trace: Trace;
  readonly nodes: readonly LabNode[];
  readonly faults: {
    readonly disk: DiskFaults;
    readonly link: DatabaseFaults;
    readonly signals: SignalNetwork;
  };
  readonly runOf: (lockId: string | null) => Run | undefined;
  /** An operator breaks whatever lock is held. */
  readonly breakLock: () => void;
}

/** What befalls nodes, stores, signals and clients: at its time, or in the very moment in which it is worst. */
export class Misfortune {
  readonly #parts: Parts;
  readonly #moments = new Map<Moment, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A command has become durable, and nobody was told of it yet. */
  passes(command: Command, { handovers }: CommandResult): void {
    if (!('actor' in command)) return;
    const about = 'lockId' in command ? command.lockId : 'waiter' in command ? command.waiter : null;
    if (isMoment(command.type)) this.lurks(command.type, about);
    for (const { waiter } of handovers) this.lurks('handover', waiter);
  }

  /** A moment has come, in which an ambush may have been laid. */
  lurks(moment: Moment, lockId: string | null): void {
    const { scenario, time } = this.#parts;
    const nth = (this.#moments.get(moment) ?? 0) + 1;
    this.#moments.set(moment, nth);
    for (const ambush of scenario.ambushes) {
      if (ambush.moment === moment && ambush.nth === nth)
        time.after(ambush.after, () => this.#strike(ambush, lockId));
    }
  }

  #strike({ deed, node, lasts }: Ambush, lockId: string | null): void {
    const { scenario, time, runOf, breakLock } = this.#parts;
    if (time.now > scenario.calmAt) return;
    const at = time.now;
    switch (deed) {
      case 'kill':
      case 'freeze':
        return this.befall({ kind: deed, node, at, lasts });
      case 'fault':
        return this.befall({ kind: scenario.storage === 'file' ? 'busy' : 'cut-off', node, at, lasts });
      case 'client-killed':
        return runOf(lockId)?.meet('killed');
      case 'client-vanishes':
        return runOf(lockId)?.meet('vanished');
      case 'break':
        return breakLock();
      default:
        deed satisfies never;
    }
  }

  befall({ kind, node: index, lasts }: Trouble): void {
    const { nodes, time, trace } = this.#parts;
    const { disk, link, signals } = this.#parts.faults;
    const node = nodes[index] as LabNode;
    trace.note('trouble', `${kind} ${node.name}`);
    const forAWhile = (begin: () => void, end: () => void): void => {
      begin();
      time.after(lasts, end);
    };
    switch (kind) {
      case 'kill':
        void node.die('kill');
        break;
      case 'freeze':
        forAWhile(
          () => node.freeze(),
          () => node.thaw(),
        );
        break;
      case 'busy':
        forAWhile(
          () => (disk.isBusy = true),
          () => (disk.isBusy = false),
        );
        break;
      case 'full':
        forAWhile(
          () => (disk.isFull = true),
          () => (disk.isFull = false),
        );
        break;
      case 'flips':
        forAWhile(
          () => (disk.flips = 0.5),
          () => (disk.flips = 0),
        );
        break;
      case 'broken':
        forAWhile(
          () => (link.broken = 0.1),
          () => (link.broken = 0),
        );
        break;
      case 'cut-off':
        forAWhile(
          () => (link.broken = 0.9),
          () => (link.broken = 0),
        );
        break;
      case 'deaf':
        forAWhile(
          () => (signals.lost = 0.7),
          () => (signals.lost = 0),
        );
        break;
      default:
        kind satisfies never;
    }
  }
}
