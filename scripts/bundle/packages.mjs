// What is known of the packages that a bundle is made of.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @returns the folder of the package that a module is of; empty for our own */
export function packageOf(id) {
  const path = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0];
  return path === undefined ? [] : [path];
}

export function readManifest(path) {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}

/** What the licences ask of whoever passes the packages on: their own words. */
export function licenceOf(path) {
  const { name, version, license } = readManifest(path);
  const texts = readdirSync(path).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file));
  const words = texts.map((file) => readFileSync(join(path, file), 'utf8').trim());
  return [`=== ${name} ${version} (${license})`, ...words, ''].join('\n');
}
