import { expect, it } from 'vitest';
import { WEBHOOK_EVENTS } from '../../src/house/webhooks/records.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_CALLER } from '../support/open-test-house.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';
import { playedPrograms } from './played-program.ts';
import { RunningHouse, slugOf } from './running-house.ts';

it('webhooks are told of runs that wait, are applied, and fail, and of nothing else of a run', async () => {
  await using programs = await playedPrograms();
  await using house = await RunningHouse.open({ programs: programs.path });
  await using receiver = await WebhookReceiver.start();
  const answer = await house.house.house.webhooks.set(ADMIN_CALLER, {
    name: 'team',
    url: receiver.url,
    secret: null,
    events: WEBHOOK_EVENTS,
    pattern: 'app/*',
    format: 'json',
  });
  expect(answer.type).toBe('set');
  const told = (): readonly unknown[] =>
    receiver.got.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  const waiting = await house.run(
    await house.configuration(await slugOf({ 'main.tf': '', 'apply.sh': 'echo "a secret"' })),
  );
  await house.until(waiting.id, 'planned');
  await eventually('the wait is told', () => receiver.got.length === 1);
  await house.runs.act(ADMIN_CALLER, waiting.id, 'confirm');
  await house.until(waiting.id, 'applied');
  await eventually('the apply is told', () => receiver.got.length === 2);
  const failing = await house.run(await house.configuration(await slugOf({ 'plan.sh': 'exit 1' })), {
    autoApply: true,
  });
  await house.until(failing.id, 'errored');
  await eventually('the failure is told', () => receiver.got.length === 3);
  expect(told()).toMatchObject([
    { event: 'run-waiting', address: 'app/net', facts: { run: waiting.id, additions: 1 } },
    { event: 'run-applied', message: expect.stringMatching(/was applied \(1 to add, 0 to change/) },
    { event: 'run-errored', facts: { run: failing.id }, message: expect.stringMatching(/run logs/) },
  ]);
  expect(JSON.stringify(told())).not.toMatch(/a secret/);
});
