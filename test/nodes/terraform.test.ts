import { describe, expect, it } from 'vitest';
import { findPostgres } from '../support/postgres-server.ts';
import { ask } from '../support/request.ts';
import { findTerraform } from '../support/terraform.ts';
import { applyEightTimes } from '../e2e/fixtures/eight-applies.ts';
import { httpFolder } from '../e2e/fixtures/http-folder.ts';
import { HouseOfNodes } from './fixtures/house-of-nodes.ts';

const programs = await findPostgres();
const terraform = await findTerraform();
/** How long each of eight applies holds the lock. */
const HOLD_SECONDS = 0.5;
/** What the applies may take together, at the most: on an idle machine it is about 5 s. */
const ALL_MS_MAX = 30_000;

describe.skipIf(programs === null || terraform === null)(
  'terraform on three nodes behind a balancer (skipped unless postgres and terraform are on PATH)',
  () => {
    it('lets eight applies that start together all succeed, one after the other and without a pause', async () => {
      await using house = await HouseOfNodes.start(programs!);
      await using base = await httpFolder(terraform!, { url: house.url, path: 'acme/eight' }, '');
      const began = performance.now();
      await applyEightTimes(base, HOLD_SECONDS);
      const took = performance.now() - began;
      console.info(`eight applies of ${HOLD_SECONDS} s on three nodes: ${Math.round(took)} ms`);
      const { text } = await ask(house.url, 'GET', '/http/acme/eight');
      expect(JSON.parse(text)).toMatchObject({ serial: 8 });
      expect(took).toBeLessThan(ALL_MS_MAX);
    }, 120_000);
  },
);
