import type { Environment } from '../../ports/environment.ts';
import { resolve } from 'node:path';
import type { Store } from '../../server/configuration.ts';
import { FIRST_PROJECT, type FirstCredential, type FirstCredentials } from '../../server/first-start.ts';
import type { OpenHouse } from '../../server/open.ts';
import type { Variable } from '../../protocols/backend.ts';
import { FIRST_STEPS } from '../../protocols/backends.ts';
import { CONNECTION_OPTIONS } from './connection.ts';
import { exportLine, quoted } from './export-line.ts';
import type { Terminal } from '../terminal.ts';

/** Where a first state may be kept. */
const FIRST = { project: FIRST_PROJECT, key: 'terraform.tfstate', workspace: 'default' };

type Opened = Pick<OpenHouse, 'url' | 'first' | 'certPath' | 'newKeyPath'>;

/**
 * Says that the house is open, and at its first start what is needed to keep a first state in it. Secrets are shown on a
 * screen alone: what a pipe takes is kept in some log.
 */
export function welcome(terminal: Terminal, open: Opened, store: Store, env: Environment): void {
  const { url, first } = open;
  // What is pasted elsewhere must be found from there.
  const certPath = absolute(open.certPath);
  const newKeyPath = absolute(open.newKeyPath);
  const data = store.kind === 'directory' ? resolve(store.path) : null;
  if (terminal.json) {
    const admin = told(first?.admin);
    terminal.result({
      url,
      data,
      admin,
      writer: told(first?.writer),
      certificate: certPath,
      newMasterKey: newKeyPath,
    });
    return;
  }
  const { bold } = terminal.colors;
  terminal.say(bold(`Statehouse is running at ${url}`));
  terminal.say('In a browser it shows who holds locks, and what is in each state: sign in with a credential');
  if (data !== null) terminal.say(`Everything is kept in ${data}`);
  if (certPath !== null) terminal.say(`The certificate is self-signed: let clients trust ${certPath}`);
  if (newKeyPath !== null)
    terminal.say(
      `The master key is ${newKeyPath}. Copy it to a safe place: no backup can be read without it`,
    );
  // `npm start` runs what is not on PATH, and is told of in any folder. npx would look for it among the packages of strangers there.
  const [, script = ''] = process.argv;
  const program = env['npm_lifecycle_event'] === 'start' ? `node ${quoted(script)}` : 'statehouse';
  if (first === null) {
    terminal.say(`A backend block: ${program} config ${FIRST_STEPS.name} PROJECT/KEY`);
    return;
  }
  terminal.say(
    firstSteps(program, first, {
      url: reachable(url),
      certPath,
      onScreen: terminal.onScreen,
    }),
  );
}

function firstSteps(
  program: string,
  { admin, writer }: FirstCredentials,
  { url, certPath, onScreen }: { url: string; certPath: string | null; onScreen: boolean },
): readonly string[] {
  const { block, environment } = FIRST_STEPS.snippet({
    url,
    address: FIRST,
    credential: writer ?? { id: 'ID', secret: 'SECRET' },
    caPath: certPath,
    variables: false,
  });
  return [
    '',
    `The admin credential is ${onScreen ? `${admin.id}.${admin.secret}, and it is ` : ''}in ${admin.path}, which only you can read. Move it to a safe place.`,
    'Use it to manage the server, and for nothing else:',
    '',
    `  export STATEHOUSE_CREDENTIAL_FILE=${quoted(admin.path)}`,
    ...reach(url, certPath),
    `  ${program} credential create NAME --grant "writer:PROJECT/*"     # one for each person and pipeline`,
    '',
    'Copy this block into main.tf of a Terraform folder:',
    '',
    ...block.split('\n'),
    '',
    writer === null
      ? 'and this into the shell there, with the ID and SECRET of a credential, then run "terraform init" and "terraform apply":'
      : `and this into the shell there, then run "terraform init" and "terraform apply". It is a credential that may write the project "${FIRST_PROJECT}" and nothing else:`,
    '',
    ...environment.map((variable) => `  ${line(variable, writer, onScreen)}`),
    '',
    ...(writer === null ? [] : [`In a browser, sign in with ${signIn(writer, onScreen)}.`]),
    `For another state, with a credential of its own: ${program} config ${FIRST_STEPS.name} PROJECT/KEY --create-credential NAME`,
    '',
  ];
}

/** What the command line is told so that it asks this server, as far as it would not by itself. */
function reach(url: string, certPath: string | null): readonly string[] {
  return [
    ...(url === CONNECTION_OPTIONS.server.fallback ? [] : [`  export STATEHOUSE_SERVER=${quoted(url)}`]),
    ...(certPath === null ? [] : [`  export STATEHOUSE_CA=${quoted(certPath)}`]),
  ];
}

function signIn({ id, secret, path }: FirstCredential, onScreen: boolean): string {
  return onScreen ? `${id}.${secret}` : `the content of ${path}`;
}

/** The secret itself on a screen; elsewhere, how the shell reads it from its file. */
function line(variable: Variable, writer: FirstCredential | null, onScreen: boolean): string {
  if (onScreen || writer === null || variable.value !== writer.secret) return exportLine(variable);
  return `export ${variable.name}="$(cut -d . -f 2 ${quoted(writer.path)})"`;
}

/** What is said of a credential in a document that may be kept anywhere. */
function told(made: FirstCredential | null | undefined): { id: string; file: string } | null {
  return made === null || made === undefined ? null : { id: made.id, file: made.path };
}

/** A house that listens on all addresses is reached by one of them. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function absolute(path: string | null): string | null {
  return path === null ? null : resolve(path);
}
