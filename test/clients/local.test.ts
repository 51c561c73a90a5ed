import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { stateText } from '../../src/contract/client-contract.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const AT_ONCE = { milliseconds: 0, signal: null };

describe('local states', () => {
  let folder: string;
  let client: StateClient;
  const file = (name: string): string => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'statehouse-local-'));
    client = await openClient({ type: 'local', attributes: {}, folder, env: {} });
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const journalOf = (before: Uint8Array, after: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(`statehouse write ${before.length} ${after.length}\n`), before, after]);
  const JOURNAL = '.terraform.tfstate.statehouse-write';
  const lockOnce = async (): Promise<void> => {
    const attempt = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    if (attempt.type === 'locked') await attempt.lock.release();
    expect(attempt.type).toBe('locked');
  };

  it('are written in the very file that others have open, with the old one kept as backup', async () => {
    const [first, second] = [stateText(1, 'l'), stateText(2, 'l', `,"x":"${'y'.repeat(10_000)}"`)];
    await writeFile(file('terraform.tfstate'), first);
    const { ino } = await stat(file('terraform.tfstate'));
    await client.write('default', second, null);
    expect((await stat(file('terraform.tfstate'))).ino).toBe(ino);
    expect((await readFile(file('terraform.tfstate.backup'))).equals(first)).toBe(true);
    await client.write('default', stateText(3, 'l'), null);
    expect((await readFile(file('terraform.tfstate.backup'))).equals(first)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['terraform.tfstate', 'terraform.tfstate.backup']);
    expect((await client.history?.list('default', 5))?.map(({ id }) => id)).toEqual(['backup']);
    expect(Buffer.from((await client.history?.read('default', 'backup')) ?? []).equals(first)).toBe(true);
  });

  it('are whole after a crash in the middle of a write, wherever it came', async () => {
    const before = stateText(1, 'l', `,"x":"${'a'.repeat(300)}"`);
    const after = stateText(2, 'l', `,"x":"${'b'.repeat(500)}"`);
    for (let written = 0; written <= after.length; written += 37) {
      const torn = Buffer.from(before);
      const partly = Buffer.concat([
        after.subarray(0, written),
        torn.subarray(Math.min(written, torn.length)),
      ]);
      await writeFile(file('terraform.tfstate'), partly);
      await writeFile(file(JOURNAL), journalOf(before, after));
      expect(Buffer.from((await client.read('default')) ?? []).equals(after), `read after ${written}`).toBe(
        true,
      );
      await lockOnce();
      expect((await readFile(file('terraform.tfstate'))).equals(after), `healed after ${written}`).toBe(true);
      expect(await readdir(folder)).toEqual(['terraform.tfstate']);
    }
  });

  it('keep what somebody else wrote after the crash', async () => {
    const [before, after, foreign] = [
      stateText(1, 'l'),
      stateText(2, 'l', ',"a":1'),
      stateText(9, 'other', ',"b":22'),
    ];
    await writeFile(file('terraform.tfstate'), foreign);
    await writeFile(file(JOURNAL), journalOf(before, after));
    expect(Buffer.from((await client.read('default')) ?? []).equals(foreign)).toBe(true);
    await lockOnce();
    expect((await readFile(file('terraform.tfstate'))).equals(foreign)).toBe(true);
    await writeFile(file(JOURNAL), journalOf(before, after).subarray(0, 100));
    await lockOnce();
    expect((await readFile(file('terraform.tfstate'))).equals(foreign)).toBe(true);
  });

  it('leave nothing behind when a lock is taken where there is no state', async () => {
    const attempt = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    if (attempt.type !== 'locked') throw new Error('not locked');
    expect(JSON.parse(await readFile(file('.terraform.tfstate.lock.info'), 'utf8'))).toMatchObject({
      ID: attempt.lock.id,
      Path: 'terraform.tfstate',
    });
    await attempt.lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('are locked against another process, and free when it is killed', async () => {
    const other = spawn(process.execPath, [MAIN, 'lock', '--json'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    const refused = await client.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    expect(refused).toMatchObject({ type: 'held', holder: { operation: 'statehouse-lock' } });
    expect(await client.inspectLock('default')).toMatchObject({
      type: 'held',
      note: `held by process ${other.pid}`,
    });
    expect(
      (await client.breakLock('default', refused.type === 'held' ? (refused.holder?.id ?? '') : '')).type,
    ).toBe('impossible');
    other.kill('SIGKILL');
    await once(other, 'exit');
    expect((await client.inspectLock('default')).type).toBe('free');
    const stale = await client.examine();
    expect(stale.map(({ topic }) => topic)).toContain('stale lock');
    await lockOnce();
  });

  it('say what is wrong with a file that cannot be opened', async () => {
    await writeFile(file('terraform.tfstate'), stateText(1, 'l'), { mode: 0o644 });
    expect((await client.examine()).map(({ topic }) => topic)).toContain('permissions');
    if (process.getuid?.() === 0) return;
    await chmod(file('terraform.tfstate'), 0o000);
    await expect(client.read('default')).rejects.toMatchObject({ kind: 'denied' });
  });
});
