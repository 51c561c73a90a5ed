// Prints the images that deploy/ stands on, each with the digest that its registry gives for its tag now, and with --write puts
// them into the files: name:tag@sha256:…, which nobody can move. Needs docker with buildx, and a network.
//   node scripts/pin-images.mjs [--write]
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const IMAGE = /^(?<before>ARG BASE=| *image: )(?<tag>[a-z]+:[\w.-]+)(?:@sha256:[0-9a-f]{64})?$/gm;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

for (const path of ['deploy/Dockerfile', 'deploy/compose.yaml']) {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  const pinned = readFileSync(file, 'utf8').replaceAll(IMAGE, (...match) => {
    const { before, tag } = match.at(-1);
    const image = `${tag}@${digestOf(tag)}`;
    process.stdout.write(`${path}: ${image}\n`);
    return before + image;
  });
  if (process.argv.includes('--write')) writeFileSync(file, pinned);
}

/** @throws where the registry cannot be asked, or answers something else */
function digestOf(image) {
  const words = ['buildx', 'imagetools', 'inspect', image, '--format', '{{.Manifest.Digest}}'];
  const digest = execFileSync('docker', words, { encoding: 'utf8' }).trim();
  if (!DIGEST.test(digest))
    throw new Error(`the registry gave no digest for ${image}: ${digest.slice(0, 200)}`);
  return digest;
}
