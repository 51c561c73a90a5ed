import type { Environment } from '../../ports/environment.ts';
import { resolve } from 'node:path';
import type { Store } from '../../server/configuration.ts';
import type { OpenHouse } from '../../server/open.ts';
import type { Snippet } from '../../protocols/backend.ts';
import { FIRST_STEPS } from '../../protocols/backends.ts';
import { exportLine } from './export-line.ts';
import type { Terminal } from '../terminal.ts';

/** Where a first state may be kept. */
const FIRST = { project: 'demo', key: 'terraform.tfstate', workspace: 'default' };

/** Says that the house is open, and at its first start what is needed to keep a first state in it. */
export function welcome(terminal: Terminal, open: OpenHouse, store: Store, env: Environment): void {
  const { url, admin } = open;
  // What is pasted elsewhere must be found from there.
  const certPath = absolute(open.certPath);
  const newKeyPath = absolute(open.newKeyPath);
  const data = store.kind === 'directory' ? resolve(store.path) : null;
  if (terminal.json) {
    terminal.result({ url, data, admin, certificate: certPath, newMasterKey: newKeyPath });
    return;
  }
  const { bold } = terminal.colors;
  terminal.say(bold(`Statehouse is running at ${url}`));
  if (data !== null) terminal.say(`Everything is kept in ${data}`);
  if (certPath !== null) terminal.say(`The certificate is self-signed: let clients trust ${certPath}`);
  if (newKeyPath !== null)
    terminal.say(
      `The master key is ${newKeyPath}. Copy it to a safe place: no backup can be read without it`,
    );
  // `npm start` runs what is not on PATH yet.
  const program = env['npm_lifecycle_event'] === 'start' ? 'npx statehouse' : 'statehouse';
  if (admin === null) {
    terminal.say(`A backend block: ${program} config ${FIRST_STEPS.name} PROJECT/KEY`);
    return;
  }
  const snippet = FIRST_STEPS.snippet({
    url: reachable(url),
    address: FIRST,
    credential: admin,
    caPath: certPath,
  });
  terminal.say(firstSteps(program, `${admin.id}.${admin.secret}`, snippet));
}

function firstSteps(program: string, credential: string, { block, environment }: Snippet): string {
  return [
    '',
    'This is the admin credential. It is shown only once, so save it:',
    '',
    `  export STATEHOUSE_CREDENTIAL=${credential}`,
    '',
    'Copy this block into main.tf of a Terraform folder:',
    '',
    block,
    '',
    'and this into the shell there, then run "terraform init" and "terraform apply":',
    '',
    ...environment.map((variable) => `  ${exportLine(variable)}`),
    '',
    `For another state: ${program} config ${FIRST_STEPS.name} PROJECT/KEY`,
    '',
  ].join('\n');
}

/** A house that listens on all addresses is reached by one of them. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function absolute(path: string | null): string | null {
  return path === null ? null : resolve(path);
}
