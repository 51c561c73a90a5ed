import type { Masked } from '../../core/snapshot/masked.ts';
import { MASK, isMaskedObject, masked, printMasked, revealed } from '../../core/snapshot/masked.ts';
import type { Instance } from '../../core/snapshot/snapshot.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { Failure } from '../failure.ts';
import { presentState, snapshotOf } from '../folder/content.ts';
import { matchesAddress } from '../folder/selecting.ts';
import { SHOW_SENSITIVE } from '../folder/sensitive.ts';
import { PLACE, PLACE_OPTIONS, withPlace } from '../place/place.ts';

export const command: Command = defineCommand({
  description:
    'Shows the attributes of a resource instance. Sensitive values, and all copies of them, are masked.',
  args: [
    PLACE,
    { name: 'address', help: 'a resource instance, or a resource with all its instances', required: true },
  ],
  options: { ...PLACE_OPTIONS, ...SHOW_SENSITIVE },
  examples: [
    { line: "statehouse show 'aws_instance.web[0]'", says: 'one instance' },
    { line: 'statehouse show app/net.tfstate --show-sensitive random_password.db', says: 'with its secrets' },
  ],
  run: (invocation) =>
    withPlace(invocation, invocation.args[0], 'reads', async ({ client, workspace, name: where }) => {
      const { options, terminal } = invocation;
      const [, asked = ''] = invocation.args;
      const { instances } = await snapshotOf(presentState(await client.read(workspace), where), where);
      const chosen = instances.filter(({ address }) => matchesAddress(address, asked));
      if (chosen.length === 0) {
        throw new Failure(`there is no ${asked} in the state`, {
          next: '"statehouse list" lists all resource instances.',
        });
      }
      const reveal = options.showSensitive;
      if (terminal.json) {
        terminal.result(chosen.map((instance) => toJson(instance, reveal)));
        return DONE;
      }
      for (const [index, instance] of chosen.entries()) {
        if (index > 0) terminal.say();
        const { bold, dim } = terminal.colors;
        const marks = `${instance.tainted ? ' (tainted)' : ''}${instance.deposed === null ? '' : ` (deposed ${instance.deposed})`}`;
        terminal.say(bold(`# ${instance.address}${marks}`));
        const wide = Math.max(0, ...instance.attributes.map(({ name }) => name.length));
        for (const { name, content } of instance.attributes) {
          const [first, ...more] = printMasked(withoutWrapper(content), reveal, true)
            .replaceAll(`"${MASK}"`, dim(MASK))
            .split('\n');
          terminal.say([`${name.padEnd(wide)} = ${first}`, ...more].map((line) => `  ${line}`));
        }
      }
      return DONE;
    }),
});

/** Values of any type are kept together with their type, which says nothing to a reader. */
function withoutWrapper(content: Masked): Masked {
  if (!isMaskedObject(content)) return content;
  const { value, type, ...others } = content;
  return value === undefined || type === undefined || Object.keys(others).length > 0 ? content : value;
}

function toJson(instance: Instance, reveal: boolean): unknown {
  const { attributes, private: _, ...facts } = instance;
  const shown = attributes.map(({ name, content }) => [name, reveal ? revealed(content) : masked(content)]);
  const sensitive = attributes.filter((attribute) => attribute.sensitive).map(({ name }) => name);
  return { ...facts, attributes: Object.fromEntries(shown), sensitive };
}
