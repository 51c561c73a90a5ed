import type { Command } from '../command.ts';
import { runInFolder } from '../folder/remote-run.ts';

export const command: Command = runInFolder('apply', {
  description:
    'Has the server plan and apply this folder, and asks in between. The folder is uploaded but for what .terraformignore leaves out. Ends with 0 when it is applied or nothing is to be done, else with 1. Given a FILE of "run plan --out", it applies that plan and does not ask.',
  example: 'statehouse run apply --auto-approve --message "new subnet"',
  says: 'plans and applies without a question',
});
