import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as Library from '../../src/client/index.ts';

describe('statehouse-server/client', () => {
  it('is a library: finds a folder, locks, writes, reads and compares', async () => {
    // By its public name, as another package imports it; typed by its source, which is there before the build.
    const name = 'statehouse-server/client';
    const {
      BackendFault,
      diffSnapshots,
      findTarget,
      makeLockRequest,
      openClient,
      readSnapshot,
      waitForLock,
    } = (await import(name)) as typeof Library;
    const folder = await mkdtemp(join(tmpdir(), 'statehouse-library-'));
    await writeFile(
      join(folder, 'main.tf'),
      'terraform {\n  backend "local" {\n    path = "s.tfstate"\n  }\n}\n',
    );
    const { choice, workspace } = await findTarget({ folder, env: {} });
    const client = await openClient(choice);
    const request = makeLockRequest('my-script', '1.0.0', 'why');
    const answer = await waitForLock(client, workspace, request, { timeout: 0 });
    if (answer.type !== 'locked') throw new Error(answer.message);
    const state = (outputs: string): Buffer =>
      Buffer.from(
        `{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"l","outputs":${outputs},"resources":[]}`,
      );
    await client.write(workspace, state('{"a":{"value":1,"type":"number"}}'), answer.lock);
    expect((await answer.lock.release()).type).toBe('released');
    const [before, after] = [
      readSnapshot((await client.read(workspace)) ?? Buffer.of()),
      readSnapshot(state('{}')),
    ];
    if (!('type' in before) || before.type !== 'snapshot') throw new Error('no snapshot');
    if (!('type' in after) || after.type !== 'snapshot') throw new Error('no snapshot');
    expect(diffSnapshots(before, after).outputs.map(({ path }) => path)).toEqual(['a']);
    expect(() => openClient({ ...choice, type: 'oss' })).toThrow(BackendFault);
    await client.close();
    await rm(folder, { recursive: true, force: true });
  });
});
