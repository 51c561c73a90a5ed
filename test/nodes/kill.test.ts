import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buffer } from 'node:stream/consumers';
import { amountOf } from '../support/amount.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { findPostgres } from '../support/postgres-server.ts';
import { ask } from '../support/request.ts';
import { findTerraform, type TerraformFolder } from '../support/terraform.ts';
import { addressAt } from '../e2e/fixtures/view.ts';
import { httpFolder, resource } from '../e2e/fixtures/http-folder.ts';
import { chance } from './fixtures/random-clients.ts';
import { SHARED_KEY } from './fixtures/three-houses.ts';
import { HouseOfNodes } from './fixtures/house-of-nodes.ts';

const programs = await findPostgres();
const terraform = await findTerraform();

const KILLS = amountOf('STATEHOUSE_KILLS', { few: 6, many: 50 });
const COLLEAGUES = 8;
const PATH = 'acme/killed';

describe.skipIf(programs === null || terraform === null)(
  'nodes that are killed (skipped unless postgres and terraform are on PATH)',
  () => {
    it(
      `lose nothing that was answered, and never let two in, over ${KILLS} kills`,
      async () => {
        await using house = await HouseOfNodes.start(programs!);
        await using base = await httpFolder(terraform!, { url: house.url, path: PATH }, '');
        const work = await WorkLog.make();
        const stopping = new AbortController();
        const colleagues = Array.from({ length: COLLEAGUES }, async (_, number) => {
          await using folder = await base.copy();
          const results: Applied[] = [];
          for (let turn = 1; !stopping.signal.aborted; turn += 1)
            results.push(await applyOnce(folder, `c${number}-${turn}`, work));
          return results;
        });
        const random = chance(KILLS);
        for (let kill = 1; kill <= KILLS; kill += 1) {
          await sleep(300 + random() * 1_200);
          const node = house.nodes[Math.floor(random() * 3)]!;
          await node.kill();
          await sleep(random() * 500);
          await node.launch();
        }
        stopping.abort();
        const applied = (await Promise.all(colleagues)).flat();
        const succeeded = applied.filter(({ ok }) => ok);
        console.info(`${KILLS} kills, ${applied.length} applies, ${succeeded.length} without an error`);
        expect(succeeded.length).toBeGreaterThan(KILLS / 2);

        expect(await work.overlaps()).toEqual([]);
        const { versions, texts } = await readAll(house.server.url('test_1'));
        const lost = succeeded.filter(({ name }) => !texts.some((text) => text.includes(`"${name}"`)));
        expect(lost).toEqual([]);
        const fences = versions.map(({ fence }) => fence ?? 0);
        expect(fences).toEqual([...fences].sort((a, b) => a - b));
        await expectFree(house, base);
        await work[Symbol.asyncDispose]();
      },
      60_000 + KILLS * 20_000,
    );
  },
);

interface Applied {
  readonly name: string;
  readonly ok: boolean;
}

/** One apply that leaves a name of its own in the state; a lock that it could not release is broken, as a person would. */
async function applyOnce(folder: TerraformFolder, name: string, work: WorkLog): Promise<Applied> {
  await folder.write('main.tf', resource('counter', name, work.command(name)));
  const { code, output } = await folder.run('apply', '-auto-approve', '-lock-timeout=3m');
  if (code !== 0) await breakOwnLock(folder, output);
  return { name, ok: code === 0 };
}

async function breakOwnLock(folder: TerraformFolder, output: string): Promise<void> {
  const id = /Error (?:releasing|unlocking)[\s\S]*?ID:\s+([0-9a-f-]{36})/.exec(output)?.[1];
  if (id !== undefined) await folder.run('force-unlock', '-force', id);
}

/** Whatever lock is left can be broken, and then the state can be changed again. */
async function expectFree(house: HouseOfNodes, folder: TerraformFolder): Promise<void> {
  const held = await ask(house.url, 'GET', `/http/${PATH}?lock`);
  if (held.status === 200) {
    const { ID } = JSON.parse(held.text) as { ID: string };
    await folder.must('force-unlock', '-force', ID);
  }
  await folder.write('main.tf', resource('last'));
  await folder.must('apply', '-auto-approve', '-lock-timeout=10s');
}

/** Every version that was kept, oldest first, and what it says. */
async function readAll(
  url: string,
): Promise<{ versions: readonly { fence: number | null }[]; texts: string[] }> {
  await using reader = await TestHouse.open({ store: { kind: 'postgres', url }, masterKeys: SHARED_KEY });
  const { house, engine } = reader;
  const versions = [...(await engine.versions(addressAt(PATH), { limit: 10_000 }))].reverse();
  const texts: string[] = [];
  for (const { number } of versions) {
    const answer = await house.states.read(ADMIN_CALLER, addressAt(PATH), number);
    if (answer.type !== 'found') throw new Error(`version ${number} was answered ${answer.type}`);
    const bytes = answer.bytes.plain();
    texts.push(Buffer.from(bytes instanceof Uint8Array ? bytes : await buffer(bytes)).toString());
  }
  return { versions, texts };
}

/** What applies write down while they hold the lock: two at a time would show. */
class WorkLog implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(): Promise<WorkLog> {
    const log = new WorkLog(await mkdtemp(join(tmpdir(), 'statehouse-work-')));
    await appendFile(log.#path, '');
    return log;
  }

  command(name: string): string {
    return `echo begin ${name} >> ${this.#path}; sleep 0.1; echo end ${name} >> ${this.#path}`;
  }

  /** Pairs of lines that say that one worked while another did. */
  async overlaps(): Promise<string[]> {
    const lines = (await readFile(this.#path, 'utf8')).trim().split('\n');
    return lines.flatMap((line, at) => {
      const next = lines[at + 1] ?? '';
      const expected = line.startsWith('begin') ? line.replace('begin', 'end') : null;
      return expected === null || next === expected ? [] : [`${line} | ${next}`];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#directory, 'log');
  }
}
