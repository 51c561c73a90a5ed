import type { Milliseconds } from '../../core/instant.ts';
import { configure } from '../../server/configuration.ts';
import { descriptorsMax, tooFewDescriptors } from '../../server/descriptors.ts';
import { SETTING_TOPICS, SETTINGS } from '../../server/settings.ts';
import type { OpenHouse } from '../../server/open.ts';
import type { UncaughtWatch } from '../../server/uncaught.ts';
import { endBy } from '../end-by.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { openingFailure } from '../server/opening-failure.ts';
import { welcome } from '../server/welcome.ts';
import { accepted, settingOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';

/** How much longer than runs and open requests all of a shutdown may take. */
const END_GRACE_MS = 5_000;

const OPTIONS = settingOptions(SETTINGS);

export const command: Command = defineCommand({
  description:
    'Runs the state server. terraform and tofu reach it through the backends that they already have.',
  args: [],
  options: OPTIONS,
  topics: SETTING_TOPICS,
  examples: [
    { line: 'statehouse serve', says: 'for this machine alone, with data in ./statehouse-data' },
    { line: 'statehouse serve --listen 0.0.0.0:443 --tls-cert c.pem --tls-key k.pem', says: 'for a team' },
    { line: 'statehouse serve --database postgres://statehouse@db/statehouse', says: 'one of several nodes' },
  ],
  run: async ({ options, terminal, env, stopped }) => {
    const tooFew = tooFewDescriptors(descriptorsMax());
    if (tooFew !== null) throw new Failure(tooFew);
    const { openHouse } = await import('../../server/open.ts');
    const { openLog, systemClock } = await import('../../server/runtime.ts');
    const { giveBackWhenIdle } = await import('../../server/spare-memory.ts');
    const { watchUncaught } = await import('../../server/uncaught.ts');
    const configuration = accepted(configure(options, env));
    using uncaught = watchUncaught(openLog(configuration.logLevel));
    void uncaught.first.then(() => endBy(configuration.shutdownMs + END_GRACE_MS));
    const open = await openHouse(configuration).catch((fault: unknown) => {
      throw openingFailure(fault, configuration);
    });
    const keepMemory = giveBackWhenIdle(
      systemClock,
      () => open.house.inFlightBytes > 0 || open.house.isIndexing,
    );
    welcome(terminal, open, configuration.store, env);
    // On a screen it means that the screen is gone, and the server with it.
    const reload = (): void => void open.reload();
    if (!terminal.onScreen) process.on('SIGHUP', reload);
    const { shutdownMs } = configuration;
    return await untilStopped(open, { terminal, stopped, uncaught, shutdownMs }).finally(keepMemory);
  },
});

async function untilStopped(
  open: OpenHouse,
  {
    terminal,
    stopped,
    uncaught,
    shutdownMs,
  }: { terminal: Terminal; stopped: AbortSignal; uncaught: UncaughtWatch; shutdownMs: Milliseconds },
): Promise<ExitCode> {
  const asked = new Promise<ExitCode>((resolve) => {
    if (stopped.aborted) resolve(DONE);
    else stopped.addEventListener('abort', () => resolve(DONE), { once: true });
  });
  const end = await Promise.race([open.failed, uncaught.first.then((): ExitCode => FAILED), asked]);
  if (typeof end !== 'number') {
    terminal.note(`The server stops, because it can no longer store data safely: ${end.message}`);
    // Nothing may be flushed or answered any more: what was answered is on the disk already.
    process.exit(FAILED);
  }
  terminal.note('Stopping: waiting requests are refused, and open ones are finished.');
  // The timeout counts once for runs, and once for requests. What was answered is on the disk already.
  endBy(2 * shutdownMs + END_GRACE_MS);
  await open.close();
  return end;
}
