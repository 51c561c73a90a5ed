// Prints what is installed at run time, as npm's own bill of materials (CycloneDX) has it; with --omit=optional what the
// server alone needs. npm's own --omit also drops run-time packages that a development package needs as well, so the lock
// file says here what is left out.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const withoutOptional = process.argv.includes('--omit=optional');
const read = (path) => JSON.parse(readFileSync(`${root}${path}`, 'utf8'));

const words = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
const bill = JSON.parse(execFileSync('npm', words, { cwd: root, encoding: 'utf8', maxBuffer: 67_108_864 }));
const installed = Object.entries(read('package-lock.json').packages)
  .filter(([path, { dev, optional, devOptional }]) => {
    const left = dev === true || (withoutOptional && (optional === true || devOptional === true));
    return path !== '' && !left;
  })
  .map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`);

const kept = new Set(installed);
const { component } = bill.metadata;
bill.metadata.component = { ...component, name: read('package.json').name };
bill.components = bill.components.filter(({ 'bom-ref': ref }) => kept.has(ref));
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref) || ref === component['bom-ref'])
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((name) => kept.has(name)) }));
process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
