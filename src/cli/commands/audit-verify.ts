import { defineCommand, type Command } from '../command.ts';
import { DONE } from '../exit-codes.ts';
import { KEY_OPTIONS, PLACE_OPTIONS, placeConfiguration } from '../server/data-options.ts';
import { keepingFailure } from '../server/keeping-failure.ts';
import { text } from '../options.ts';

export const command: Command = defineCommand({
  description:
    'Checks that a server with the master key wrote all data, and that nothing was changed, put back or taken away since: every row, and the audit log from its first record to its last. It changes nothing, and a server may be running. It prints the head of the audit log: keep it elsewhere, and give it the next time. Only that shows whether all data was rolled back to an older copy.',
  args: [],
  options: {
    ...PLACE_OPTIONS,
    ...KEY_OPTIONS,
    head: text('HEAD', 'the head of the audit log that this command printed before', { environment: false }),
  },
  examples: [
    { line: 'statehouse audit verify', says: 'of the server whose data is in ./statehouse-data' },
    {
      line: 'statehouse audit verify --data backup.db --master-key-file master.key --head "$HEAD"',
      says: 'a backup, which must go on from an earlier head',
    },
  ],
  run: async ({ options, terminal }) => {
    const { verifyKept } = await import('../../server/verify-kept.ts');
    const heads = options.head === undefined ? [] : [options.head];
    try {
      const found = await verifyKept(placeConfiguration(options), heads);
      if (terminal.json) {
        terminal.result(found);
        return DONE;
      }
      const { states, versions, credentials, entries, auditRecords, auditHead, auditPruned, prunedHeads } =
        found;
      terminal.note(
        `All is as a server wrote it: ${states} states with ${versions} versions, ${credentials} credentials, ` +
          `${entries} other records, ${auditRecords} records of the audit log.`,
      );
      if (auditPruned > 0)
        terminal.note(`${auditPruned} older records were forgotten, as --keep-audit-days says.`);
      if (prunedHeads.length > 0)
        terminal.note('The given head is among these: nothing can be said of it. Give a newer one.');
      terminal.say(auditHead);
      return DONE;
    } catch (fault) {
      throw keepingFailure(fault);
    }
  },
});
