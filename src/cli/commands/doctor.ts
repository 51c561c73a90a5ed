import { randomBytes } from 'node:crypto';
import type { Finding, StateClient } from '../../ports/state-client.ts';
import { BackendFault } from '../../ports/state-client.ts';
import { openClient, SERVED_BACKENDS } from '../../protocols/backends.ts';
import { makeLockRequest } from '../../protocols/lock-request.ts';
import { readVersion } from '../../server/version.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../command.ts';
import { DONE, FAILED, type ExitCode } from '../exit-codes.ts';
import { wrongUse } from '../failure.ts';
import { proveExclusion, proveExclusionOfProcesses } from '../folder/doctor/exclusion.ts';
import { examineFolder, examineLocks } from '../folder/doctor/folder-findings.ts';
import { OPERATION_DOCTOR } from '../folder/operations.ts';
import type { OpenTarget } from '../folder/target.ts';
import { TARGET_OPTIONS, withTarget } from '../folder/target.ts';
import { flag, text } from '../options.ts';
import { CONNECTION_OPTIONS, readConnection } from '../server/connection.ts';
import type { Terminal } from '../terminal.ts';

const SIGNS = { good: '✓', hint: '·', warning: '!', problem: '✗' } as const;

export const command: Command = defineCommand({
  description:
    'Tests on this very backend that its lock excludes, with a temporary workspace, and reports what is wrong or missing. ' +
    'Exits with 1 when something is wrong.',
  args: [],
  options: {
    ...TARGET_OPTIONS,
    strict: flag('exit with 1 for warnings as well'),
    realLock: flag('where the backend has no workspaces, take the lock of this state itself for a moment', {
      environment: false,
    }),
    noProof: flag('only look: take no lock and create no workspace', { environment: false }),
    door: text('BACKEND', 'test instead how terraform reaches a server through this backend', {
      environment: false,
      completes: 'served-backend',
    }),
    ...CONNECTION_OPTIONS,
  },
  examples: [
    { line: 'statehouse doctor', says: 'of this folder' },
    { line: 'statehouse doctor --strict --json', says: 'for CI' },
    {
      line: 'statehouse doctor --door azurerm --server https://state.example.com',
      says: 'of the names and the certificate that a backend needs',
    },
  ],
  run: (invocation) => {
    const { options, terminal } = invocation;
    if (options.door !== undefined) return examineDoor(options.door, options, terminal);
    return withTarget(invocation, 'reads', async (target) => {
      const { cwd } = invocation;
      const { client } = target;
      const flags = targetFlags(invocation.options);
      const findings: Finding[] = [
        ...(options.noProof
          ? []
          : await tried('exclusion', () => prove(target, { cwd, flags, realLock: options.realLock }))),
        ...(await tried('backend', () => client.examine())),
        ...(client.traits.locks === 'none' ? [] : await tried('locks', () => examineLocks(client))),
        ...(await examineFolder(target)),
      ];
      return report(terminal, `${client.backend}: ${client.locate('default')}`, findings, {
        strict: options.strict,
        about: { backend: client.backend },
      });
    });
  },
});

/** How terraform would reach a server through a backend. */
async function examineDoor(
  name: string,
  options: Parameters<typeof readConnection>[0] & { readonly strict: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const served = SERVED_BACKENDS.find((one) => one.name === name);
  if (served?.examine === undefined) {
    const known = SERVED_BACKENDS.filter(({ examine }) => examine !== undefined).map((one) => one.name);
    throw wrongUse(`--door: nothing is to be tested of "${name}": expected ${known.join(', ')}`);
  }
  const { url, ca, credential } = readConnection(options);
  if (credential === null)
    throw wrongUse('--door needs a credential: give one by --credential or STATEHOUSE_CREDENTIAL');
  const findings = await served.examine({
    url,
    address: { project: 'app', key: 'net', workspace: 'default' },
    credential,
    caPath: ca?.path ?? null,
    ...(ca === null ? {} : { ca: ca.pem }),
    variables: false,
  });
  return report(terminal, `${name}: ${url}`, findings, { strict: options.strict, about: { door: name } });
}

function report(
  terminal: Terminal,
  title: string,
  findings: readonly Finding[],
  { strict, about }: { readonly strict: boolean; readonly about: object },
): ExitCode {
  const wrong = findings.filter(({ level }) => level === 'problem' || (strict && level === 'warning'));
  if (terminal.json) terminal.result({ ...about, ok: wrong.length === 0, findings });
  else print(terminal, title, findings);
  return wrong.length === 0 ? DONE : FAILED;
}

/** What a backend refuses is a finding too: the others are still of interest. */
async function tried(topic: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (fault) {
    if (!(fault instanceof BackendFault)) throw fault;
    return [{ level: 'problem', topic, message: fault.message, next: fault.next }];
  }
}

async function prove(
  { client, choice, workspace }: OpenTarget,
  options: { readonly cwd: string; readonly flags: readonly string[]; readonly realLock: boolean },
): Promise<readonly Finding[]> {
  if (client.traits.locks === 'none') return [];
  const only = client.traits.workspaces === 'default-only';
  if (only && !options.realLock) {
    return [
      {
        level: 'hint',
        topic: 'exclusion',
        message: 'the lock was not tested: this backend has no workspaces, so a temporary one cannot be used',
        next: '"statehouse doctor --real-lock" takes the lock of this state itself for a moment.',
      },
    ];
  }
  if (only && (await isHeld(client, workspace))) {
    const message = 'the lock was not tested: it is held now';
    return [
      { level: 'hint', topic: 'exclusion', message, next: 'Run the command again when the lock is free.' },
    ];
  }
  const scratch = `statehouse-doctor-${randomBytes(6).toString('hex')}`;
  const other = await openClient(choice);
  try {
    if (client.traits.excludes === 'processes')
      return await proveExclusionOfProcesses(client, scratch, options);
    return await proveExclusion(client, other, only ? workspace : scratch);
  } finally {
    if (!only) await client.deleteWorkspace(scratch, null).catch(() => undefined);
    await other.close();
  }
}

/** Where a backend tells of its lock only when asked for it, it is asked for it. */
async function isHeld(client: StateClient, workspace: string): Promise<boolean> {
  const request = makeLockRequest(OPERATION_DOCTOR, readVersion());
  const attempt = await client.lock(workspace, request, { milliseconds: 0, signal: null });
  if (attempt.type === 'locked') await attempt.lock.release();
  return attempt.type === 'held';
}

/** The same target, for another process. */
function targetFlags(options: {
  readonly chdir: string | undefined;
  readonly backend: string | undefined;
  readonly backendConfig: readonly string[];
}): readonly string[] {
  return [
    ...(options.chdir === undefined ? [] : ['--chdir', options.chdir]),
    ...(options.backend === undefined ? [] : ['--backend', options.backend]),
    ...options.backendConfig.flatMap((item) => ['--backend-config', item]),
  ];
}

function print(terminal: Terminal, title: string, findings: readonly Finding[]): void {
  const { colors } = terminal;
  const paint = {
    good: colors.green,
    hint: colors.dim,
    warning: colors.yellow,
    problem: colors.red,
  } as const;
  terminal.say(title);
  for (const { level, topic, message, next } of findings) {
    terminal.say(`${paint[level](SIGNS[level])} ${topic}: ${message}`);
    if (next !== '') terminal.say(`    ${next}`);
  }
}
