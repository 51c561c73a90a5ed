import type { WebhookEventName } from '../../api/shapes/webhook.ts';
import { WEBHOOK_EVENTS } from '../../house/webhooks/records.ts';
import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { flag, text, textOr, texts } from '../options.ts';
import { HouseClient } from '../server/client.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import { secretOf } from '../server/secret-option.ts';

export const command: Command = defineCommand({
  description:
    'Has the server send a signed message to a URL when a lock is stuck or broken, a write is refused, a credential expires, a backup is old, or a run waits, fails or is applied. Replaces the webhook of that name.',
  args: [
    { name: 'name', help: 'its name: lower-case letters, digits and hyphens', required: true },
    { name: 'url', help: 'where messages are sent, https://…', required: false },
  ],
  options: {
    ...CONNECTION_OPTIONS,
    urlFile: text('FILE', 'read the URL from this file: the URL of a chat is a secret', {
      environment: false,
    }),
    secretFile: text('FILE', 'sign with the secret in this file; by default one is created and shown', {
      environment: false,
    }),
    event: texts('EVENT', `only this event, as often as wanted: ${WEBHOOK_EVENTS.join(', ')}`, {
      environment: false,
    }),
    pattern: textOr('*', 'PATTERN', 'only states that PROJECT/KEY[@WORKSPACE] covers, where * is any text', {
      environment: false,
    }),
    slack: flag('write messages as Slack, Mattermost and Rocket.Chat take them', { environment: false }),
  },
  examples: [
    { line: 'statehouse webhook add pager https://example.com/hook', says: 'everything, as JSON' },
    {
      line: "statehouse webhook add chat --url-file slack-url --slack --event lock-stuck --pattern 'app/*'",
      says: 'stuck locks of one project, to a chat',
    },
  ],
  run: async ({ args: [name = '', given], options, terminal, stopped }) => {
    const url = secretOf('url', { text: given, file: options.urlFile }, options);
    if (url === undefined)
      throw wrongUse('the URL is missing', 'Give it after the name, or with --url-file.');
    const secret = secretOf('secret', { text: undefined, file: options.secretFile }, options);
    const { pattern, slack } = options;
    const house = new HouseClient(readConnection(options), stopped);
    const body = {
      name,
      url,
      pattern,
      format: slack ? ('slack' as const) : ('json' as const),
      ...(secret === undefined ? {} : { secret }),
      ...(options.event.length === 0 ? {} : { events: options.event.map(readEvent) }),
    };
    const made = await house.ask('set-webhook', { body });
    if (terminal.json) {
      terminal.result(made);
      return DONE;
    }
    terminal.say(`${made.name} is told of ${made.events.join(', ')}.`);
    if (secret === undefined) {
      terminal.say(`secret  ${made.secret}`);
      terminal.note('The secret is shown only once: the receiver verifies messages with it.');
    }
    terminal.note(`"statehouse webhook test ${made.name}" sends a message.`);
    return DONE;
  },
});

function readEvent(given: string): WebhookEventName {
  const event = WEBHOOK_EVENTS.find((name) => name === given);
  if (event !== undefined) return event;
  throw wrongUse(`--event: invalid event "${given}": expected one of ${WEBHOOK_EVENTS.join(', ')}`);
}
