import type { Section } from '../section.ts';
import { markdownTable, seconds } from '../table.ts';
import type { Treatment } from './lock-server.ts';
import type { Run } from './runs.ts';
import { burst, impatient, plansAndApplies, steady, unsteady } from './scenarios.ts';
import { simulate, type Report } from './simulate.ts';
import { TREATMENTS } from './treatments.ts';

const HOLDS_S = [0.2, 0.5, 2, 5, 10, 30, 60, 300, 1_800];
const SEEDS = 5;

type Scenario = (seed: number) => readonly Run[];

/** (i) Order and idle time of the waiting line, in virtual time: the rules of the core with clients that ask as Terraform does. */
export async function line(): Promise<Section> {
  const crowds = HOLDS_S.flatMap((holdS): [string, Scenario][] => {
    const hold = holdS * 1_000;
    return [
      [`${holdS} s, 8 at once`, (seed) => burst(8, hold, seed)],
      ...(holdS === 10
        ? [['10 s, 200 at once', (seed) => burst(200, hold, seed)] as [string, Scenario]]
        : []),
      [`${holdS} s, 80 one by one`, (seed) => steady(80, hold, 0.95, seed)],
      [`${holdS} s, a third gone`, (seed) => unsteady(80, hold, seed)],
    ];
  });
  return {
    name: 'line',
    title: 'The waiting line, simulated',
    text: TEXT,
    table: [
      markdownTable(
        ['hold, comers', ...TREATMENTS.map(({ name }) => name)],
        crowds.map(([label, scenario]) => [label, ...TREATMENTS.map((each) => crowd(run(scenario, each)))]),
      ),
      markdownTable(
        ['20 impatient applies', ...TREATMENTS.map(({ name }) => name)],
        [5, 30, 120].map((holdS) => [
          `hold ${holdS} s`,
          ...TREATMENTS.map((each) => overrun(run((seed) => impatient(holdS * 1_000, seed), each))),
        ]),
      ),
      markdownTable(
        ['plans and applies', ...TREATMENTS.map(({ name }) => name)],
        [
          [
            'applies that gave up, longest wait',
            ...TREATMENTS.map((each) => starved(run(plansAndApplies, each))),
          ],
        ],
      ),
    ].join('\n\n'),
  };
}

const TEXT = `The rules of the core, with clients that sleep 1, 2, 4, 8, 16, 16 … s between two asks as Terraform and OpenTofu do, in virtual
time (\`bench/line\`); ${SEEDS} seeds each. Holds are spread around their median (log-normal, sigma 0.3). "the rule" parks a waiter that comes back for twice
what it has waited and keeps a free lock up to half a usual hold for the first in line; the others are what it was chosen from (\`bench/line/treatments.ts\`).
First table: time in which the lock was free although somebody waited, of the time in which it was held; and grants by which somebody was passed who
had asked before. The first second of a burst is lost in all: a first ask is refused at once, so that who does not wait fails fast.
Second table: applies that gave up, and by how much the worst overran its \`-lock-timeout\`, as a multiple of it. Third: a plan of 90 s every 20 s, and applies with \`-lock-timeout=5m\`.
Chosen: parking without an end is best of all in order and idle time, but a \`-lock-timeout\` means nothing then; kept for half a usual hold, the
lock idles at most 2 % and passes at most 1 % at holds of 10 s and more, and a lock that is kept for less is passed on out of order more often.`;

function run(scenario: Scenario, treatment: Treatment): Report {
  const reports = Array.from({ length: SEEDS }, (_, index) => simulate(scenario(index + 1), treatment));
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const most = (of: (report: Report) => number): number => Math.max(...reports.map(of));
  return {
    grants: sum(({ grants }) => grants),
    heldMs: sum(({ heldMs }) => heldMs),
    idleMs: sum(({ idleMs }) => idleMs),
    overtakings: sum(({ overtakings }) => overtakings),
    makespanMs: sum(({ makespanMs }) => makespanMs),
    gaveUp: sum(({ gaveUp }) => gaveUp),
    worstOverrun: most(({ worstOverrun }) => worstOverrun),
    worstWaitMs: most(({ worstWaitMs }) => worstWaitMs),
  };
}

function crowd({ idleMs, heldMs, overtakings, grants }: Report): string {
  return `${percent(idleMs / heldMs)}, ${percent(overtakings / grants)}`;
}

function overrun({ gaveUp, worstOverrun }: Report): string {
  return `${gaveUp}, ${worstOverrun.toFixed(1)} ×`;
}

function starved({ gaveUp, worstWaitMs }: Report): string {
  return `${gaveUp}, ${seconds(worstWaitMs)}`;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
