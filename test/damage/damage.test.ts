import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Dice } from '../fuzz/mutation.ts';
import { amountOf } from '../support/amount.ts';
import { flipInDatabase, flipInLog, type Flipped } from './flips.ts';
import { makeImage, putFiles, type Files } from './image.ts';
import { tryDamaged, type Verdict } from './trial.ts';

const TRIALS = amountOf('STATEHOUSE_DAMAGE_TRIALS', { few: 100, many: 1_000 });
const SEED = Number(process.env['STATEHOUSE_DAMAGE_SEED'] ?? 1);
const image = makeImage();
const directory = mkdtempSync(join(tmpdir(), 'statehouse-damaged-'));

afterAll(() => rmSync(directory, { recursive: true }));

let noticed = 0;

describe(`one bit turned over, seed ${SEED}`, () => {
  it('is nowhere: all is right', () => {
    for (const files of [image.stopped, image.killed])
      expect(tryDamaged(putFiles(directory, files), image.told)).toBe('right');
  });

  it.each<[string, number, Files, (files: Files, dice: Dice) => Flipped]>([
    ['the database', 0.5, image.stopped, flipInDatabase],
    ['the database beside a log', 0.1, image.killed, flipInDatabase],
    ['the log', 0.4, image.killed, flipInLog],
  ])('in %s makes nothing wrong, absent or free', { timeout: 3_600_000 }, (name, share, files, turn) => {
    const dice = new Dice(SEED);
    const counts: Record<Verdict, number> = { right: 0, refused: 0, fault: 0 };
    for (let trial = 0; trial < TRIALS * share; trial += 1) {
      const { files: flipped, where } = turn(files, dice);
      try {
        counts[tryDamaged(putFiles(directory, flipped), image.told)] += 1;
      } catch (fault) {
        // Codes and IDs are random, so that a seed alone does not make the same files again.
        const kept = putFiles(mkdtempSync(join(tmpdir(), 'statehouse-damage-found-')), flipped);
        throw new Error(`seed ${SEED}, trial ${trial}: ${where}; see ${kept}`, { cause: fault });
      }
    }
    console.log(`${name}: ${JSON.stringify(counts)}`);
    noticed += counts.refused + counts.fault;
  });

  it('is noticed where it is in use', () => {
    expect(noticed).toBeGreaterThan(TRIALS / 4);
  });
});
