// Writes docs/command-line.md from the catalogue of commands; with --check it only says whether that is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { CATALOGUE, SECTIONS } from '../dist/cli/catalogue.js';
import { CONNECTION_OPTIONS } from '../dist/cli/server/connection.js';
import { TARGET_OPTIONS } from '../dist/cli/folder/target.js';
import { environmentName, flagName } from '../dist/cli/options.js';

const TARGET = new URL('../docs/command-line.md', import.meta.url);

const INTRODUCTION = `# The command line

Made from the commands themselves by \`npm run docs\`; a test keeps it so. \`statehouse COMMAND --help\` says the same.

- Every command takes \`--json\`: one JSON document on standard output, and problems as one JSON object on standard error.
- Results go to standard output, everything else to standard error. Progress is shown on a terminal only.
- Most options can also come from the environment: \`--lock-timeout\` is \`STATEHOUSE_LOCK_TIMEOUT\`. What the command line says
  wins. Options marked "said each time" cannot.
- What others wrote (lock infos, names, values of a state, errors of a server) is shown with control, bidirectional and invisible
  characters escaped as in JSON: \`\\u001b\`, \`\\n\`. \`pull\`, \`decrypt\` and \`outputs --raw\` print bytes as they are.
- A secret on the command line brings a warning, because every user of the machine can read it there. Give it in the environment or in
  a file that only you can read (\`--credential-file\`).
- Exit codes: 0 done, 1 failed, 2 wrong use, 3 locked by someone else.
- An address is written \`PROJECT/KEY[@WORKSPACE]\`: \`app/net/terraform.tfstate@dev\`; an "@" in a workspace's name is written %40.
- A place is an address on a server, or a folder that begins with "." or "/". The commands of a state may have the word \`state\` before them.
`;

/** Options that many commands have are told once. */
const GROUPS = [
  { title: 'Which state, in a folder', options: TARGET_OPTIONS },
  { title: 'Which server, and who asks', options: CONNECTION_OPTIONS },
];

const parts = [INTRODUCTION];
for (const { title, options } of GROUPS) {
  parts.push(`## ${title}\n`, `${optionTable(Object.entries(options))}\n`);
}
for (const [section, title] of SECTIONS) {
  parts.push(`## ${title}\n`);
  for (const entry of CATALOGUE.filter((candidate) => candidate.section === section)) {
    const { command } = await entry.load();
    parts.push(describe(entry, command));
  }
}
const text = `${parts.join('\n').trimEnd()}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, 'utf8') !== text) {
  process.stderr.write('docs/command-line.md is not up to date: run "npm run docs"\n');
  process.exitCode = 1;
}

function describe({ name }, { description, args, options, topics = {}, examples }) {
  const given = args.map(({ name: word, required, rest }) => {
    const label = rest === true ? `${word}...` : word;
    return required ? ` <${label}>` : ` [${label}]`;
  });
  const lines = [`### statehouse ${name}${given.join('')}`, '', description, ''];
  for (const { name: word, help } of args) lines.push(`- \`${word}\`: ${help}`);
  if (args.length > 0) lines.push('');
  const groups = GROUPS.filter((group) => Object.keys(group.options).every((key) => key in options));
  const shared = new Set(groups.flatMap((group) => Object.keys(group.options)));
  const own = Object.entries(options).filter(([key]) => !shared.has(key));
  for (const { title } of groups)
    lines.push(`With the options of [${title.toLowerCase()}](#${anchor(title)}).`, '');
  for (const { topic, options: some } of byTopic(own, topics)) {
    if (topic !== null) lines.push(`${topic}:`, '');
    lines.push(optionTable(some), '');
  }
  if (examples.length > 0) {
    lines.push('```sh', ...examples.flatMap(({ line, says }) => [`# ${says}`, line]), '```', '');
  }
  return lines.join('\n');
}

/** Options in their order, with the topic under which they stand in the help. */
function byTopic(options, topics) {
  const parts = [];
  for (const option of options) {
    const topic = topics[option[0]] ?? null;
    if (topic !== null || parts.length === 0) parts.push({ topic, options: [] });
    parts.at(-1).options.push(option);
  }
  return parts;
}

function optionTable(options) {
  const rows = options.map(([key, option]) => optionRow(key, option));
  return ['| option | what it says |', '| --- | --- |', ...rows].join('\n');
}

function anchor(title) {
  return title
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .replaceAll(' ', '-');
}

function optionRow(key, { kind, placeholder, help, short, environment, fallback }) {
  const value = kind === 'flag' ? '' : ` ${placeholder}`;
  const flags = `${short === null ? '' : `-${short}, `}${flagName(key)}${value}`;
  const remarks = [
    fallback === null ? null : `default \`${fallback}\``,
    kind === 'list' ? 'repeatable' : null,
    environment ? null : 'said each time',
  ].filter((remark) => remark !== null);
  const more = remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
  const variable = environment ? `<br>\`${environmentName(key)}\`` : '';
  return `| \`${cell(flags)}\`${variable} | ${cell(help)}${cell(more)} |`;
}

function cell(text) {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}
