import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { writeOf } from '../../src/contract/engine-commands.ts';
import { addressOf, newDirectory } from '../engines/sqlite-fixture.ts';
import { Acknowledged } from './acknowledged.ts';

const WRITERS = new URL('./sqlite-writers.mjs', import.meta.url).pathname;

it.each([2, 3, 5, 9])(
  'a disk that is full after %i MB stops the engine, and loses nothing that was answered',
  async (megabytes) => {
    const { directory, remove } = await newDirectory();
    const acknowledged = new Acknowledged();
    const answers = join(directory, 'answers');
    // The shell's limit is in blocks of 512 bytes, and holds for every file that the process writes.
    const command = `ulimit -f ${megabytes * 2_048}; exec "$0" "$@"`;
    const child = spawn('sh', ['-c', command, process.execPath, WRITERS, directory, '8', answers], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [[code]] = await Promise.all([once(child, 'exit'), once(child.stdout, 'close')]);
    acknowledged.hear(readFileSync(answers, 'utf8'));
    expect(said).toContain('failed nothing more can be stored safely');
    expect(code).toBe(3);
    expect(acknowledged.answers).toBeGreaterThan(20);

    const engine = await SqliteEngine.open({ directory });
    await acknowledged.verify(engine);
    const [result] = await engine.apply([writeOf(addressOf('after'), 1n)]);
    expect(result?.outcome.type).toBe('stored');
    await engine[Symbol.asyncDispose]();
    await remove();
  },
);
