// Prints what runs, as npm's own bill of materials (CycloneDX) has it: the packages that are in the files of dist/program, and those
// that are installed beside it; with --omit=optional without the optional ones. What is bundled is a development package to npm,
// so dist/program/packages.json and the lock file say here what is listed.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const withoutOptional = process.argv.includes('--omit=optional');
const read = (path) => JSON.parse(readFileSync(`${root}${path}`, 'utf8'));

const words = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
const bill = JSON.parse(execFileSync('npm', words, { cwd: root, encoding: 'utf8', maxBuffer: 67_108_864 }));
/** Of a bundle whose file was taken away, nothing runs. */
const bundled = Object.entries(read('dist/program/packages.json'))
  .filter(([file]) => existsSync(`${root}dist/program/${file}`))
  .flatMap(([, names]) => names);
const installed = Object.entries(read('package-lock.json').packages)
  .filter(([path, { dev, optional, devOptional }]) => {
    const left = dev === true || (withoutOptional && (optional === true || devOptional === true));
    return path !== '' && !left;
  })
  .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);

const kept = new Set([...installed, ...bundled]);
const { component } = bill.metadata;
bill.metadata.component = { ...component, name: read('package.json').name };
bill.components = bill.components.filter(({ 'bom-ref': ref }) => kept.has(ref));
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref) || ref === component['bom-ref'])
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((name) => kept.has(name)) }));
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
