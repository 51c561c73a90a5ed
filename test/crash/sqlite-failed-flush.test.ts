import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts';
import { newDirectory } from '../engines/sqlite-fixture.ts';
import { Acknowledged } from './acknowledged.ts';
import { hasCompiler, recorded } from './power-cut/recorder.ts';
import { readRecording } from './power-cut/recording.ts';

const WRITERS = new URL('./sqlite-writers.mjs', import.meta.url).pathname;

/**
 * The flushes before that of the first commit: one for the new log, one for each migration, and three for the key of the rows, which
 * is kept before the writer begins with a log of its own.
 */
const FLUSHES_OF_OPENING =
  4 + readdirSync(new URL('../../src/engines/sqlite/migrations/', import.meta.url)).length;

const canRecord = hasCompiler();
if (!canRecord) console.log('no C compiler here: what a failed flush does is not tried');

describe.runIf(canRecord)('a flush that fails', () => {
  it.each([1, 2, 5, 30].map((later) => FLUSHES_OF_OPENING + later))(
    'stops the engine, be it number %i, and nothing is written or tried again after it',
    async (failing) => {
      const { directory, remove } = await newDirectory();
      const [data, recording, answers] = ['data', 'recording', 'answers'].map((name) =>
        join(directory, name),
      ) as [string, string, string];
      const recorder = await recorded(directory, recording);
      const env = { ...process.env, ...recorder, FAILING_FLUSH: `${failing}` };
      const child = spawn(process.execPath, [WRITERS, data, '4', answers], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env,
      });
      const acknowledged = new Acknowledged();
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      const [[code]] = await Promise.all([once(child, 'exit'), once(child.stdout, 'close')]);
      expect(said).toContain('failed nothing more can be stored safely');
      expect(code).toBe(3);

      const deeds = readRecording(readFileSync(recording));
      const onLog = deeds.filter(({ path }) => path.endsWith('-wal')).map(({ type }) => type);
      // The flush that failed is not among them: writes, and after them nothing.
      expect(onLog.filter((type) => type === 'flush')).toHaveLength(failing - 1);
      expect(onLog.at(-1)).toBe('write');
      const lastFlush = deeds.findLastIndex(({ type, path }) => type === 'flush' && path.endsWith('-wal'));
      const later = deeds.slice(lastFlush + 1).filter(({ path }) => path.endsWith('statehouse.db'));
      expect(later).toEqual([]);

      acknowledged.hear(readFileSync(answers, 'utf8'));
      const engine = await SqliteEngine.open({ directory: data });
      await acknowledged.verify(engine);
      await engine[Symbol.asyncDispose]();
      await remove();
    },
  );
});
