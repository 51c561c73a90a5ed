import type { AuditNote } from '../core/effect.ts';
import type { AuditSink } from '../ports/audit-sink.ts';
import type { Clock } from '../ports/clock.ts';
import type { Command, CommandResult, Engine } from '../ports/engine.ts';
import { overlaid } from './overlaid.ts';

/** An engine whose every record of the audit log goes to a sink as well; nothing is answered before the sink has it. */
export function tapped(engine: Engine, sink: AuditSink, clock: Clock): Engine {
  const apply: Engine['apply'] = async (commands) => {
    const results = await engine.apply(commands, { notes: true });
    for (const [at, command] of commands.entries()) {
      const address = 'address' in command ? command.address : null;
      for (const note of notesOf(command, results[at])) sink.write({ at: clock.now(), address, note });
    }
    await sink.accepted();
    return results;
  };
  return overlaid(engine, { apply });
}

/** What was noted with a command. What the house gathers it sends to the sink itself, before it is stored. */
function notesOf(command: Command, result: CommandResult | undefined): readonly AuditNote[] {
  if ('actor' in command) return result?.notes ?? [];
  if (command.type === 'audit' || !('note' in command) || command.note === null) return [];
  const outcome = result?.outcome;
  const isDone = outcome?.type === 'audit-pruned' ? outcome.records > 0 : outcome?.type === 'noted';
  return isDone ? [command.note] : [];
}
