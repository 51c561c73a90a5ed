// What the executable runs first. Node runs a single CommonJS script there, which can load built-in modules alone.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { unpacked } from './unpack.mjs';

const folder = unpacked(() => new Uint8Array(getRawAsset('program')), getAsset('name', 'utf8'), process.env);
// Node puts the executable itself where a script's name stands. `--node-script FILE` runs a script of the program's own.
const isScript = process.argv[2] === '--node-script';
const script = isScript ? process.argv[3] : join(folder, 'dist', 'program', 'cli.main.cjs');
if (isScript) process.argv.splice(1, 2);
else process.argv[1] = script;
createRequire(join(folder, 'package.json'))('./start.cjs')(script);
