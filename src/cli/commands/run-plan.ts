import type { Command } from '../command.ts';
import { runInFolder } from '../folder/remote-run.ts';

export const command: Command = runInFolder('plan', {
  description:
    'Has the server plan this folder, and shows what it says. The folder is uploaded but for what .terraformignore leaves out. Ends with 0, with 1 where the plan failed and, with --detailed-exitcode, with 2 where it has changes. Variables of the shell (TF_VAR_NAME) are sent with the run.',
  example: 'statehouse run plan --target terraform_data.web --detailed-exitcode',
  says: 'nothing is applied',
});
