import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readdir } from 'node:fs/promises';
import { findTerraform } from '../support/terraform.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { MAIN_TF, NET, RunningHouse, slugOf } from './running-house.ts';

const terraform = await findTerraform();

describe.skipIf(terraform === null)('runs that the server executes as its children', () => {
  let house: RunningHouse;
  let slug: Buffer;

  beforeAll(async () => {
    house = await RunningHouse.open();
    slug = await slugOf({ 'main.tf': MAIN_TF });
  });
  afterAll(() => house[Symbol.asyncDispose]());

  it('plan, wait to be confirmed under the lock of the workspace, apply, and leave the state', async () => {
    const { id } = await house.run(await house.configuration(slug));
    const planned = await house.until(id, 'planned', 'errored');
    expect(await house.log(id, 'plan')).toMatch(/Plan: 1 to add, 0 to change, 0 to destroy/);
    expect(planned).toMatchObject({
      status: 'planned',
      hasChanges: true,
      counts: { additions: 1, changes: 0, destructions: 0, imports: 0 },
      job: null,
    });
    const shown = await house.house.house.locks.show(ADMIN_CALLER, NET);
    expect(shown).toMatchObject({
      lock: { holders: [{ operation: 'statehouse-run', subject: `run:${id}` }] },
    });
    expect(await house.runs.act(ADMIN_CALLER, id, 'confirm')).toMatchObject({ type: 'done' });
    await house.until(id, 'applied', 'errored');
    expect(await house.log(id, 'apply')).toMatch(/Apply complete! Resources: 1 added/);
    expect(await house.state()).toMatchObject({ serial: 1, resources: [{ type: 'terraform_data' }] });
    await expect
      .poll(() => house.house.house.locks.show(ADMIN_CALLER, NET))
      .toMatchObject({
        lock: { holders: [] },
      });
    expect(await readdir(house.directory)).toEqual([]);
  });

  it('keep their variables from the plan to the apply, and end with a plan that changes nothing', async () => {
    const variables = [{ key: 'name', value: '"bo"' }];
    const { id } = await house.run(await house.configuration(slug), { variables, autoApply: true });
    await house.until(id, 'applied', 'errored');
    expect(await house.log(id, 'apply')).toMatch(/o = "bo"/);
    const again = await house.run(await house.configuration(slug), { variables });
    await house.until(again.id, 'planned_and_finished', 'errored');
    expect(await house.log(again.id, 'plan')).toMatch(/No changes/);
  });

  it('destroy', async () => {
    const { id } = await house.run(await house.configuration(slug), { destroy: true, autoApply: true });
    await house.until(id, 'applied', 'errored');
    expect(await house.log(id, 'apply')).toMatch(
      /Apply complete! Resources: 0 added, 0 changed, 1 destroyed/,
    );
    expect(await house.state()).toMatchObject({ resources: [] });
  });
});
