import type { Environment } from '../ports/environment.ts';
import { Argument, Command as Parser, CommanderError, Option } from 'commander';
import type { ArgumentSpec, Command } from './command.ts';
import { wrongUse } from './failure.ts';
import type { Options, OptionSpec, OptionValues } from './options.ts';
import { environmentName, flagName, flag } from './options.ts';

const FILE = 'File';

/** Variables of the environment that the help names; the others are called likewise. */
const NAMES_SHOWN = 8;

/** Every command has these. */
const COMMON: Options = { json: flag('print one JSON document') };

export interface Parsed {
  readonly type: 'run';
  readonly args: readonly string[];
  readonly options: OptionValues<Options>;
  readonly json: boolean;
  /** What the user should know before the command runs, a sentence each. */
  readonly warnings: readonly string[];
}

/** The help was asked for, and this is it. */
export interface Help {
  readonly type: 'help';
  readonly text: string;
}

/** Reads a command's own part of the command line, and the environment for what is not said there. */
export function parseCommandLine(
  name: string,
  command: Command,
  words: readonly string[],
  env: Environment,
): Parsed | Help {
  const options: Options = { ...command.options, ...COMMON };
  const { parser, readers } = makeParser(name, command, options);
  let help = '';
  parser.configureOutput({ writeOut: (text) => (help += text), writeErr: () => {} });
  try {
    parser.parse([...words], { from: 'user' });
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault;
    if (fault.code === 'commander.helpDisplayed') return { type: 'help', text: help };
    throw wrongUse(fault.message.replace(/^error: /, ''), `See "statehouse ${name} --help".`);
  }
  const given = (key: string): readonly string[] => readers.get(key)?.() ?? [];
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(options)) {
    const other = alternativeTo(key, options);
    const said = given(key);
    if (other !== null && said.length > 0 && given(other).length > 0)
      throw wrongUse(`${flagName(key)} and ${flagName(other)} say the same`, 'Give one of them.');
    // What the command line says wins, in whichever of the two forms.
    const unsaid = other !== null && said.length === 0 && given(other).length > 0;
    values[key] = resolve(key, option, said, unsaid ? {} : env);
  }
  return {
    type: 'run',
    args: placeArguments(
      command.args,
      parser.processedArgs.flat().filter((value): value is string => typeof value === 'string'),
    ),
    options: values,
    json: values['json'] === true,
    warnings: Object.entries(options).flatMap(([key, option]) =>
      given(key).some((text) => option.isSecret(text)) ? [exposedWarning(key, options)] : [],
    ),
  };
}

/** Puts an empty text where a leading argument was left out. @throws Failure when a required one is missing */
function placeArguments(specs: readonly ArgumentSpec[], words: readonly string[]): readonly string[] {
  const [first, ...others] = specs;
  if (first?.leading === undefined) return words;
  const required = others.filter((spec) => spec.required);
  const [word] = words;
  const tooMany = words.length >= specs.length && others.at(-1)?.rest !== true;
  const fits = word !== undefined && first.leading(word) && words.length > required.length;
  const args = tooMany || fits ? words : ['', ...words];
  const missing = required[args.length - 1];
  if (missing !== undefined) throw wrongUse(`missing required argument '${missing.name}'`);
  return args;
}

/** A secret is given as it is (`masterKey`) or in a file (`masterKeyFile`); of what may be given often both may. */
function alternativeTo(key: string, options: Options): string | null {
  const other = key.endsWith(FILE) ? key.slice(0, -FILE.length) : `${key}${FILE}`;
  return other in options && options[key]?.kind !== 'list' ? other : null;
}

function exposedWarning(key: string, options: Options): string {
  const other = alternativeTo(key, options);
  const ways = [
    ...(other === null ? [] : [flagName(other)]),
    ...(options[key]?.environment === true ? [environmentName(key)] : []),
  ];
  const next = ways.length === 0 ? '' : `: use ${ways.join(' or ')}`;
  return `${flagName(key)} has a secret in it, and every user of this machine can read a command line${next}.`;
}

function resolve(
  key: string,
  option: OptionSpec<unknown>,
  given: readonly string[],
  env: Environment,
): unknown {
  const fromEnv = option.environment ? env[environmentName(key)] : undefined;
  const unsaid = given.length === 0 && fromEnv !== undefined && fromEnv !== '';
  const source = unsaid ? environmentName(key) : flagName(key);
  try {
    return option.read(unsaid ? [fromEnv] : given);
  } catch (fault) {
    if (fault instanceof Error) fault.message = `${source}: ${fault.message}`;
    throw fault;
  }
}

function makeParser(
  name: string,
  command: Command,
  options: Options,
): { readonly parser: Parser; readonly readers: ReadonlyMap<string, () => readonly string[]> } {
  const parser = new Parser(`statehouse ${name}`)
    .description(command.description)
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .allowExcessArguments(false)
    .addHelpText('after', () => helpEnd(command, options));
  if (command.passThrough === true) parser.passThroughOptions();
  // Which word is which is told when all are there.
  const leads = command.args[0]?.leading !== undefined;
  if (leads) parser.usage(['[options]', ...command.args.map(argumentLabel)].join(' '));
  for (const spec of command.args)
    parser.addArgument(makeArgument(leads ? { ...spec, required: false } : spec));
  const readers = new Map<string, () => readonly string[]>();
  let topic: string | null = null;
  for (const [key, spec] of Object.entries(options)) {
    const given: string[] = [];
    const option = makeOption(key, spec);
    topic = key in COMMON ? null : (command.topics?.[key] ?? topic);
    if (topic !== null) option.helpGroup(`${topic}:`);
    parser.addOption(option);
    parser.on(`option:${option.name()}`, (value: string | null) => given.push(value ?? 'true'));
    readers.set(key, () => given);
  }
  return { parser, readers };
}

function makeArgument(spec: ArgumentSpec): Argument {
  return new Argument(argumentLabel(spec), spec.help);
}

function argumentLabel({ name, required, rest }: ArgumentSpec): string {
  const label = rest === true ? `${name}...` : name;
  return required ? `<${label}>` : `[${label}]`;
}

function makeOption(key: string, spec: OptionSpec<unknown>): Option {
  const flags = [spec.short === null ? null : `-${spec.short}`, flagName(key)].filter(Boolean).join(', ');
  const fallback = spec.fallback === null ? '' : ` (default: ${spec.fallback})`;
  const more = spec.kind === 'list' ? ' (repeatable)' : '';
  return new Option(
    spec.kind === 'flag' ? flags : `${flags} <${spec.placeholder}>`,
    spec.help + fallback + more,
  );
}

function helpEnd(command: Command, options: Options): string {
  const inEnvironment = Object.entries(options).filter(([, spec]) => spec.environment);
  const names = inEnvironment.slice(0, NAMES_SHOWN).map(([key]) => environmentName(key));
  const more = inEnvironment.length > NAMES_SHOWN ? ', and so on' : '';
  const examples = command.examples.map(({ line, says }) => `  ${line}\n      ${says}`).join('\n');
  return [
    ...(examples === '' ? [] : ['', 'Examples:', examples]),
    '',
    `Every option can also come from the environment: ${names.join(', ')}${more}`,
    '',
    'Exit codes: 0 done, 1 failed, 2 wrong use, 3 locked by someone else',
  ].join('\n');
}
