import type { Milliseconds } from '../../src/core/instant.ts';
import type { RunPlan } from './clients/run.ts';
import type { UploadPlan } from './clients/uploader.ts';
import { CALM, type Weather } from './network/network.ts';
import type { Dice } from './time/dice.ts';

const SECOND: Milliseconds = 1_000;
const FOR_EVER: Milliseconds = 1e9;

export type Door = 'http' | 'lock-file' | 'item';

/** What happens to a node at some time, and for how long. */
export interface Trouble {
  readonly kind: 'kill' | 'freeze' | 'busy' | 'full' | 'flips' | 'broken' | 'cut-off' | 'deaf';
  readonly node: number;
  readonly at: Milliseconds;
  readonly lasts: Milliseconds;
}

/** What becomes durable, or a request for the lock that comes in. */
export type Moment = 'asks' | 'lock' | 'handover' | 'accept' | 'park-over' | 'leave' | 'write' | 'unlock';

/** What happens in the very moment in which it is worst: when something was decided and nobody was told yet. */
export interface Ambush {
  readonly moment: Moment;
  /** Which of those moments, from 1 up. */
  readonly nth: number;
  /** How long after it. */
  readonly after: Milliseconds;
  readonly deed: 'kill' | 'freeze' | 'fault' | 'client-killed' | 'client-vanishes' | 'break';
  readonly node: number;
  readonly lasts: Milliseconds;
}

/** All that a seed decides beforehand. */
export interface Scenario {
  readonly storage: 'file' | 'database';
  readonly nodes: number;
  /** How far each node's clock is off. */
  readonly skews: readonly Milliseconds[];
  readonly latency: Milliseconds;
  readonly weather: Weather;
  /** When troubles and bad weather are over. */
  readonly calmAt: Milliseconds;
  readonly troubles: readonly Trouble[];
  readonly ambushes: readonly Ambush[];
  readonly runs: readonly (RunPlan & {
    readonly door: Door;
    readonly subject: number;
    readonly host: number;
  })[];
  /** Reads, and writes without a lock, at these times. */
  readonly looks: readonly Milliseconds[];
  readonly strayWrites: readonly Milliseconds[];
  /** When an operator breaks whatever lock is held, if one is. */
  readonly breaks: readonly Milliseconds[];
  readonly uploads: readonly UploadPlan[];
}

/** Draws a scenario: a few runs of a few people, what becomes of them, and what goes wrong meanwhile. */
export function drawScenario(dice: Dice): Scenario {
  const storage = dice.hits(0.6) ? 'file' : 'database';
  const nodes = storage === 'file' ? 1 : 2 + dice.below(2);
  const calmAt = dice.between(20, 70) * SECOND;
  return {
    storage,
    nodes,
    skews: Array.from({ length: nodes }, () => skewOf(dice)),
    latency: dice.logarithmic(0.3, 30),
    weather: weatherOf(dice),
    calmAt,
    troubles: troublesOf(dice, { storage, nodes, calmAt }),
    ambushes: ambushesOf(dice, nodes),
    runs: runsOf(dice),
    looks: timesOf(dice, 3, calmAt),
    strayWrites: dice.hits(0.2) ? timesOf(dice, 2, calmAt) : [],
    breaks: dice.hits(0.15) ? timesOf(dice, 2, calmAt) : [],
    uploads: dice.hits(0.05) ? uploadsOf(dice, calmAt) : [],
  };
}

function skewOf(dice: Dice): Milliseconds {
  if (dice.hits(0.7)) return 0;
  return Math.round(dice.between(-120, 120) * SECOND);
}

function weatherOf(dice: Dice): Weather {
  const often = (part: number): number => (dice.hits(0.4) ? dice.between(0, part) : 0);
  return {
    ...CALM,
    delayMs: dice.logarithmic(0.5, 100),
    refused: often(0.1),
    answerLost: often(0.15),
    reset: often(0.2),
    halfOpen: often(0.1),
    copied: often(0.3),
  };
}

function troublesOf(
  dice: Dice,
  { storage, nodes, calmAt }: { storage: Scenario['storage']; nodes: number; calmAt: Milliseconds },
): Trouble[] {
  const kinds: readonly Trouble['kind'][] =
    storage === 'file' ? ['kill', 'freeze', 'busy', 'full', 'flips'] : ['kill', 'freeze', 'broken', 'deaf'];
  return Array.from({ length: dice.pick([0, 0, 1, 2, 3]) }, () => ({
    kind: dice.pick(kinds),
    node: dice.below(nodes),
    at: dice.between(0, calmAt),
    lasts: dice.logarithmic(0.1, 15) * SECOND,
  }));
}

const MOMENTS: readonly Moment[] = [
  'asks',
  'lock',
  'handover',
  'handover',
  'accept',
  'park-over',
  'leave',
  'write',
  'unlock',
  'unlock',
];
const DEEDS: readonly Ambush['deed'][] = [
  'kill',
  'freeze',
  'fault',
  'client-killed',
  'client-killed',
  'client-vanishes',
  'break',
];

export function isMoment(name: string): name is Moment {
  return MOMENTS.some((moment) => moment === name);
}

/** Some come together: a client that dies, while what would clear up after it fails. */
function ambushesOf(dice: Dice, nodes: number): Ambush[] {
  const moment = dice.pick(MOMENTS);
  const nth = 1 + dice.below(4);
  return Array.from({ length: dice.pick([0, 0, 1, 1, 2, 3]) }, () => ({
    ...(dice.hits(0.6) ? { moment, nth } : { moment: dice.pick(MOMENTS), nth: 1 + dice.below(8) }),
    after: dice.hits(0.3) ? 0 : dice.logarithmic(0.1, 300),
    deed: dice.pick(DEEDS),
    node: dice.below(nodes),
    lasts: dice.logarithmic(0.5, 15) * SECOND,
  }));
}

const DOORS: readonly (readonly Door[])[] = [
  ['http'],
  ['http'],
  ['http', 'lock-file'],
  ['http', 'lock-file', 'item'],
  ['lock-file'],
];

function runsOf(dice: Dice): Scenario['runs'] {
  const spread = dice.pick([0.2, 5, 30]) * SECOND;
  const hold = dice.logarithmic(0.1, 10) * SECOND;
  const doors = dice.pick(DOORS);
  const plans = dice.pick([0, 0, 0.3, 0.7]);
  return Array.from({ length: 2 + dice.below(6) }, (_, index) => {
    const door = dice.pick(doors);
    const plan = dice.hits(plans);
    return {
      name: `${plan ? 'plan' : 'apply'}-${index}`,
      door,
      subject: dice.below(2),
      host: dice.below(3),
      beginsAt: dice.between(0, spread),
      plan,
      work: dice.logNormal(hold, 0.5),
      writes: plan ? 0 : dice.pick([0, 1, 1, 2, 3]),
      patience: dice.pick([0, 10 * SECOND, FOR_EVER, FOR_EVER, FOR_EVER, FOR_EVER]),
      fate: fateOf(dice, hold),
    };
  });
}

function fateOf(dice: Dice, hold: Milliseconds): RunPlan['fate'] {
  if (dice.hits(0.75)) return null;
  return { kind: dice.pick(['killed', 'vanished', 'interrupted']), after: dice.exponential(4 * hold) };
}

/** Half of them are abandoned after some of their calls. */
function uploadsOf(dice: Dice, end: Milliseconds): UploadPlan[] {
  return Array.from({ length: 1 + dice.below(3) }, (_, index) => ({
    name: `upload-${index}`,
    beginsAt: dice.between(0, end),
    subject: dice.below(2),
    calls: dice.hits(0.5) ? 1 + dice.below(6) : Infinity,
  }));
}

function timesOf(dice: Dice, most: number, end: Milliseconds): readonly Milliseconds[] {
  return Array.from({ length: dice.below(most + 1) }, () => dice.between(0, end));
}
