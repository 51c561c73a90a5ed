import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { copyWorkspace } from '../../src/cli/folder/migration/copy.ts';
import { Journal } from '../../src/cli/folder/migration/journal.ts';
import { BackendFault, type StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { sampleState } from '../support/sample-state.ts';

/** A backend that the first lock makes, as that of PostgreSQL makes its table. */
function madeByLock(inner: StateClient): StateClient {
  let made = false;
  const asked = <T>(answer: () => Promise<T>): Promise<T> =>
    made ? answer() : Promise.reject(new BackendFault('missing', 'there is no table'));
  return {
    backend: inner.backend,
    history: inner.history,
    traits: { ...inner.traits, madeByLock: true },
    locate: (workspace) => inner.locate(workspace),
    workspaces: () => inner.workspaces(),
    createWorkspace: (workspace, by) => inner.createWorkspace(workspace, by),
    deleteWorkspace: (workspace, held) => inner.deleteWorkspace(workspace, held),
    read: (workspace) => asked(() => inner.read(workspace)),
    write: (...args) => asked(() => inner.write(...args)),
    lock: (...args) => {
      made = true;
      return inner.lock(...args);
    },
    inspectLock: (workspace) => asked(() => inner.inspectLock(workspace)),
    breakLock: (workspace, id) => inner.breakLock(workspace, id),
    examine: () => inner.examine(),
    close: () => inner.close(),
  };
}

it('a migration that was killed before its first lock made the target goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'statehouse-resumed-'));
  try {
    await writeFile(join(folder, 'from.tfstate'), sampleState(1));
    const local = (path: string): Promise<StateClient> =>
      openClient({ type: 'local', attributes: { path }, folder, env: {} });
    const sides = { from: await local('from.tfstate'), to: madeByLock(await local('to.tfstate')) };
    const { journal } = await Journal.open(folder, 'from', 'to', 'host');
    await journal.remember('default', { from: 'lock-from', to: 'lock-to' });

    const options = { timeout: 0, force: false, stopped: new AbortController().signal };
    const copied = await copyWorkspace(sides, 'default', journal, options);
    expect(copied.outcome).toBe('copied');
    expect(Buffer.from((await sides.to.read('default')) ?? []).toString()).toBe(sampleState(1));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('leaves nothing behind at its end of what killed runs were writing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'statehouse-resumed-'));
  try {
    await writeFile(join(folder, 'statehouse-migration.json.0123456789abcdef.tmp'), '{');
    await writeFile(join(folder, 'notes.tmp'), '');
    const { journal } = await Journal.open(folder, 'from', 'to', 'host');
    await journal.finish();
    expect(await readdir(folder)).toEqual(['notes.tmp']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
