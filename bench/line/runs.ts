import type { Milliseconds } from '../../src/core/instant.ts';
import { clientSleep } from '../../src/core/rules/estimate.ts';
import type { Agenda } from './agenda.ts';
import type { Call, LockServer } from './lock-server.ts';

/** What somebody runs, and what becomes of it. */
export interface Run {
  readonly name: string;
  readonly beginsAt: Milliseconds;
  readonly plan: boolean;
  /** How long it holds the lock once it has it. */
  readonly hold: Milliseconds;
  /** `-lock-timeout`; 0 for none. */
  readonly patience: Milliseconds;
  /**
   * - `dies`: it vanishes so long after it began, if it still waits: its connections close.
   * - `vanishes`: likewise, but nobody tells the server, which finds out by probes of its own.
   * - `interrupted`: its user presses Ctrl-C, and it ends with its next answer.
   */
  readonly fate: { readonly kind: 'dies' | 'vanishes' | 'interrupted'; readonly after: Milliseconds } | null;
}

/** What is watched of a run while it goes on. */
export interface Watch {
  /** It wants the lock from now on. */
  readonly wants: (run: Run) => void;
  /** It no longer wants it: it gave up, or is gone. */
  readonly givesUp: (run: Run, after: Milliseconds, reason: 'patience' | 'fate') => void;
  readonly releases: (run: Run) => void;
}

/** One way between client and server. */
const NET_MS: Milliseconds = 1;
/** How long it takes until the server knows that a silent client is gone. */
const PROBE_MS: Milliseconds = 15_000;

/** Terraform's and OpenTofu's way to the lock (`internal/states/statemgr/locker.go`), from the first ask to the release. */
export function begin(run: Run, agenda: Agenda, server: LockServer, watch: Watch): void {
  agenda.after(run.beginsAt, () => {
    const began = agenda.now;
    let asks = 0;
    let over = false;
    let interrupted = false;
    let call: Call | null = null;
    let asleep: (() => void) | null = null;

    const giveUp = (reason: 'patience' | 'fate'): void => {
      over = true;
      asleep?.();
      watch.givesUp(run, agenda.now - began, reason);
    };
    const heard = (granted: boolean): void => {
      call = null;
      if (over) {
        // Its answer goes nowhere, and the server takes the grant back.
        if (granted) server.unlock(run.name);
        return;
      }
      if (granted) {
        over = true;
        agenda.after(interrupted ? 0 : run.hold, () => {
          server.unlock(run.name);
          watch.releases(run);
        });
        return;
      }
      const left = run.patience - (agenda.now - began);
      if (interrupted) return giveUp('fate');
      if (left <= 0) return giveUp('patience');
      const sleep = clientSleep(asks);
      asleep = sleep >= left ? agenda.after(left, () => giveUp('patience')) : agenda.after(sleep, ask);
    };
    const ask = (): void => {
      asks += 1;
      agenda.after(NET_MS, () => {
        if (over) return;
        if (asks === 1) watch.wants(run);
        call = server.lock({ lockId: run.name, shared: run.plan }, (granted) => {
          agenda.after(NET_MS, () => heard(granted));
        });
      });
    };
    ask();

    const { fate } = run;
    if (fate === null) return;
    agenda.after(fate.after, () => {
      if (over) return;
      if (fate.kind === 'interrupted' && call !== null) {
        interrupted = true;
        return;
      }
      const parked = call;
      giveUp('fate');
      agenda.after(fate.kind === 'vanishes' ? PROBE_MS : 0, () => parked?.hangUp());
    });
  });
}
