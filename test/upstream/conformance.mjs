// Writes docs/conformance.md from the lists of what upstream tests do here; with --check it only says whether that is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { count, readExpected } from './expected.mjs';

const TARGET = new URL('../../docs/conformance.md', import.meta.url);
const SUITES = [
  's3-tests',
  'dynalite',
  'terraform',
  'opentofu',
  'terragrunt',
  'boto3',
  'go-sdk-v1',
  'go-sdk-v2',
  'gcs-python',
  'gcs-node',
  'gsutil',
  'azure-python',
  'azure-node',
  'az',
  'consul-go',
  'consul-python',
  'consul-node',
];

const INTRODUCTION = `# Tests of others

The AWS doors are run against tests that were not written for them, and the doors for Google, Azure and Consul against the official clients. Made from the lists in \`test/upstream/expected/\`, which name each test
and what it does here, by \`node test/upstream/conformance.mjs\`; a test keeps it so.

| suite | pass | applicable | by design not | source |
| --- | --- | --- | --- | --- |
`;

const HOW = `
## How to run them

Of the suites nothing is kept here: each is run in a checkout of your own, with what it needs installed. The trials of boto3, of the SDKs for Go and of
the clients of Google, Azure and Consul are this repository's own. Each is run against a server that is started for it on this machine. The command prints each test that does something else than the list says.

\`\`\`sh
npm run upstream s3-tests CHECKOUT -- --program=VENV/bin/python
npm run upstream dynalite CHECKOUT
npm run upstream terraform CHECKOUT -- --program=FILE      # the test program of internal/backend/remote-state/s3
npm run upstream opentofu CHECKOUT -- --program=FILE
npm run upstream terragrunt . -- --program=FILE            # terraform has to be on PATH
npm run upstream boto3 . -- --program=VENV/bin/python      # with boto3[crt]
npm run upstream go-sdk-v1 .                               # go has to be on PATH
npm run upstream go-sdk-v2 .
npm run upstream gcs-python . -- --program=VENV/bin/python    # with google-cloud-storage; azure-python with azure-storage-blob and azure-identity
npm run upstream consul-python . -- --program=VENV/bin/python # with python-consul2
npm run upstream gcs-node FOLDER                              # with @google-cloud/storage in its node_modules
npm run upstream azure-node FOLDER                            # with @azure/storage-blob and @azure/identity
npm run upstream consul-node FOLDER                           # with consul
npm run upstream consul-go .                                  # go has to be on PATH
npm run upstream gsutil . -- --program=FILE
npm run upstream az . -- --program=FILE
npm run contention PROGRAM -- --applies=500                # terraform or tofu
\`\`\`

- **s3-tests** put bodies that are no states. A plugin (\`states_for_objects.py\`) puts a state for each, and shows the test its own body where what
  came back is byte for byte what was kept. Names, conditions, listings, versions, parts and errors are the server's.
- **dynalite**'s tests of what is understood and refused are compared by the class of the error, which SDKs go by; the sentences say more here. After a
  failure in a callback mocha skips or repeats some tests of the same file, which are then said to be missing or new.
- **terraform** and **opentofu** name AWS's own hosts: a proxy on this machine brings them to the server, and nowhere else.
- **gcs**, **azure** and **consul** are programs of some twenty lines each, as people write them; those of Azure and gsutil speak HTTPS.
- **contention** has 8 clients apply on one state, with lock files, a table and both, on loopback and 40 ms away: none may give up, and no change
  may be lost. \`--minutes\` bounds each. Run so far:

| 8 clients, program | lock | there and back | applies | failed or gave up | changes lost |
| --- | --- | --- | --- | --- | --- |
| Terraform 1.11.4 | lock file | loopback | 4,000 in 1165 s | 0 | 0 |
| Terraform 1.11.4 | table | loopback | 132 in 62 s | 0 | 0 |
| Terraform 1.11.4 | both | loopback | 186 in 61 s | 0 | 0 |
| Terraform 1.11.4 | lock file | 40 ms | 178 in 63 s | 0 | 0 |
| Terraform 1.11.4 | table | 40 ms | 117 in 64 s | 0 | 0 |
| Terraform 1.11.4 | both | 40 ms | 90 in 65 s | 0 | 0 |
| OpenTofu 1.12.6 | lock file | loopback | 1,082 in 242 s | 0 | 0 |
| OpenTofu 1.12.6 | table | loopback | 138 in 62 s | 0 | 0 |
| OpenTofu 1.12.6 | both | loopback | 168 in 61 s | 0 | 0 |
| OpenTofu 1.12.6 | lock file | 40 ms | 144 in 63 s | 0 | 0 |
| OpenTofu 1.12.6 | table | 40 ms | 110 in 63 s | 0 | 0 |
| OpenTofu 1.12.6 | both | 40 ms | 95 in 66 s | 0 | 0 |

All of them on two processors that others used as well. 500 applies a client were done with lock files and Terraform on loopback; the others were ended by time.
`;

function table() {
  return SUITES.map((suite) => {
    const expected = readExpected(suite);
    const { passed, applicable, all } = count(expected);
    return `| ${suite} | ${passed} | ${applicable} | ${all - applicable} | ${expected.source} |\n`;
  }).join('');
}

function reasons() {
  return SUITES.map((suite) => {
    const expected = readExpected(suite);
    const { byReason } = count(expected);
    if (byReason.size === 0) return `\n### ${suite}\n\nAll pass.\n`;
    const rows = [...byReason]
      .sort(([, one], [, other]) => other - one)
      .map(([name, tests]) => `| ${tests} | ${name} | ${expected.reasons.get(name)} |\n`);
    return `\n### ${suite}\n\n| tests | list | why |\n| --- | --- | --- |\n${rows.join('')}`;
  }).join('');
}

const text = `${INTRODUCTION}${table()}\n"Applicable" is what passes, and what does not and is a fault of this server (\`ours\`).\n\n## Why not\n${reasons()}${HOW}`;
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error('docs/conformance.md is not up to date: run node test/upstream/conformance.mjs');
  process.exit(1);
}
