import { randomUUID } from 'node:crypto';
import { createServer, request as requestPlain, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { workspaceId } from '../src/protocols/hcp/layout.ts';
import { CloudConfigs, cloudFolder } from '../test/e2e/fixtures/cloud-folder.ts';
import { HouseProcess } from '../test/support/house-process.ts';
import { ask } from '../test/support/request.ts';
import { TEST_ADMIN } from '../test/support/test-admin.ts';
import { findTerraform, TerraformFolder } from '../test/support/terraform.ts';
import { queuedRuns } from './queued-runs.ts';
import { progress, type Section } from './section.ts';
import { markdownTable, milliseconds } from './table.ts';

const PLANS = 7;
const HAND_OVERS = 5;
/** What terraform itself waits in a plan that is executed elsewhere: half a second for the upload, a second for the run. */
const FLOOR_MS = 1_500;
const RESOURCE = 'resource "terraform_data" "one" {}\n';
/** Writes a line that says when, 30 times, 150 ms apart. */
const TICKS = tickingResource('for i in $(seq 30); do echo TICK $(date +%s%3N); sleep 0.15; done');
const TICK = /TICK (\d{13})/g;
/** Writes 1 MB in lines of 100 bytes. */
const LONG = tickingResource(`yes ${'x'.repeat(99)} | head -n 10486`);

/** (m) What a run on the server costs beside terraform itself. */
export async function runs(): Promise<Section> {
  const terraform = await findTerraform();
  const title = 'Runs on the server';
  if (terraform === null) return { name: 'runs', title, text: 'terraform is missing.', table: '' };
  await using house = await HouseProcess.start({ flags: ['--runs=local', '--run-slots=2'] });
  const gateway = await Gateway.open(house.url);
  const configs = await CloudConfigs.make();
  const scene: Scene = { terraform, configs, url: gateway.url };
  try {
    const local = await plansHere(terraform);
    const remote = await plansThere(scene);
    const handOver = await handOvers(scene);
    const lines = await latencies(scene, gateway);
    gateway.forget();
    const bytes = await longLog(scene);
    const logs = gateway.logConnections;
    const queued = await queuedRuns();
    const overhead = median(remote) - median(local) - FLOOR_MS;
    const rows = [
      ['a plan by terraform, here', milliseconds(median(local)), ''],
      ['the same plan, executed by the server', milliseconds(median(remote)), ''],
      ['… beyond the plan here and the 1,500 ms that terraform waits', milliseconds(overhead), '500 ms'],
      [
        'from the end of one apply to the begin of the next in line',
        milliseconds(median(handOver.told)),
        '200 ms',
      ],
      [
        '… from the last words of the one to the first of the other in its terminal',
        milliseconds(median(handOver.seen)),
        '',
      ],
      ['from the writing of a line to its sight, median', milliseconds(median(lines.sight)), '150 ms'],
      ['… slowest', milliseconds(Math.max(...lines.sight)), '150 ms'],
      ['… from its writing to the answer of the server, median', milliseconds(median(lines.answer)), ''],
      ['lines that were written before terraform first asked for the log', String(lines.early.length), ''],
      ['… from the writing of the first of them to its sight', milliseconds(Math.max(0, ...lines.early)), ''],
      [`connections for a log of ${(bytes / 1e6).toFixed(1)} MB`, String(logs), '3'],
      ...queued.flatMap(({ runs: count, rssBytes, cpuSeconds, milliseconds: took }) => [
        [`memory of a server with ${count} queued runs`, `${Math.round(rssBytes / 1e6)} MB`, ''],
        ['… its processor time in a second', milliseconds(cpuSeconds * 1_000), ''],
        ['… a read of a state that is not there', milliseconds(took), ''],
      ]),
    ];
    return {
      name: 'runs',
      title,
      text: `One \`terraform_data\`, by \`cloud\`, server and terraform on one machine. ${PLANS} plans each way, ${HAND_OVERS} applies that waited, 30 lines of a provisioner.`,
      table: markdownTable(['', 'measured', 'target'], rows),
    };
  } finally {
    gateway.close();
    await configs[Symbol.asyncDispose]();
  }
}

interface Scene {
  readonly terraform: string;
  readonly configs: CloudConfigs;
  readonly url: string;
}

function folderAt(
  { terraform, configs, url }: Scene,
  main: string,
  name = `r-${randomUUID().slice(0, 8)}`,
): Promise<TerraformFolder> {
  return cloudFolder(terraform, configs, { url, organization: 'acme', workspaces: `name = "${name}"` }, main);
}

async function plansHere(terraform: string): Promise<readonly number[]> {
  await using folder = await TerraformFolder.make(terraform, { files: { 'main.tf': RESOURCE } });
  await folder.must('init');
  return await timed(PLANS, () => folder.must('plan'));
}

async function plansThere(scene: Scene): Promise<readonly number[]> {
  await using folder = await folderAt(scene, RESOURCE);
  const took = await timed(PLANS, () => folder.must('plan'));
  progress('runs: plans done');
  return took;
}

/** Two applies of one workspace: the second waits until the first has ended. */
async function handOvers(
  scene: Scene,
): Promise<{ readonly told: readonly number[]; readonly seen: readonly number[] }> {
  const [told, seen]: [number[], number[]] = [[], []];
  for (let round = 0; round < HAND_OVERS; round += 1) {
    const name = `r-${randomUUID().slice(0, 8)}`;
    const slow = tickingResource('sleep 3; echo ENDED $(date +%s%3N)');
    await using first = await folderAt(scene, slow, name);
    await using second = await folderAt(scene, `${slow}output "o" {\n  value = 1\n}\n`, name);
    const one = first.start(['apply', '-auto-approve']);
    await until(() => one.output.includes('Creating...'));
    const two = second.start(['apply', '-auto-approve']);
    const [, ended = ''] = /ENDED (\d+)/.exec((await one.end).output) ?? [];
    // What it says first is written when its plan begins.
    await until(() => two.output.includes('Initializing plugins'));
    seen.push(Date.now() - Number(ended));
    await two.end;
    told.push(await betweenRuns(scene, name));
  }
  progress('runs: hand-overs done');
  return { told, seen };
}

/** From the end of a workspace's first run to the begin of its second, by the server's clock. */
async function betweenRuns({ url }: Scene, name: string): Promise<number> {
  const id = workspaceId({ project: 'acme', key: name, workspace: 'default' });
  const { text } = await ask(url, 'GET', `/api/v2/workspaces/${id}/runs`, {
    headers: { authorization: `Bearer ${TEST_ADMIN.id}.${TEST_ADMIN.secret}` },
  });
  const { data } = JSON.parse(text) as {
    data: { attributes: { 'status-timestamps': Record<string, string> } }[];
  };
  const [second, first] = data.map(({ attributes }) => attributes['status-timestamps']);
  return Date.parse(second?.['planning-at'] ?? '') - Date.parse(first?.['applied-at'] ?? '');
}

interface Latencies {
  /** From the writing of each line to its sight in the terminal, of those that came when terraform read the log already. */
  readonly sight: readonly number[];
  /** … to the answer of the server that has it. */
  readonly answer: readonly number[];
  /** From writing to sight, of the lines that were there before terraform asked for the log. */
  readonly early: readonly number[];
}

/** How long after it was written each line is seen in the terminal. */
async function latencies(scene: Scene, gateway: Gateway): Promise<Latencies> {
  await using folder = await folderAt(scene, TICKS);
  gateway.forget();
  const applying = folder.start(['apply', '-auto-approve']);
  const seen = new Map<string, number>();
  while (applying.running) {
    for (const [, at = ''] of applying.output.matchAll(TICK)) if (!seen.has(at)) seen.set(at, Date.now());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  progress('runs: latencies done');
  const [sight, answer, early]: [number[], number[], number[]] = [[], [], []];
  for (const [at, seenAt] of seen) {
    const writtenAt = Number(at);
    if (writtenAt < gateway.askedForApplyAt) {
      early.push(seenAt - writtenAt);
      continue;
    }
    sight.push(seenAt - writtenAt);
    answer.push((gateway.answered.get(at) ?? Number.NaN) - writtenAt);
  }
  return { sight, answer, early };
}

/** @returns the bytes of the log, as far as terraform has shown it */
async function longLog(scene: Scene): Promise<number> {
  await using folder = await folderAt(scene, LONG);
  const { output } = await folder.start(['apply', '-auto-approve']).end;
  return output.length;
}

function tickingResource(command: string): string {
  return `resource "terraform_data" "one" {\n  provisioner "local-exec" {\n    command = ${JSON.stringify(command)}\n  }\n}\n`;
}

async function timed(times: number, once: () => Promise<unknown>): Promise<readonly number[]> {
  await once();
  const took: number[] = [];
  for (let run = 0; run < times; run += 1) {
    const since = performance.now();
    await once();
    took.push(performance.now() - since);
  }
  return took;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

/** Stands before the server, counts the connections over which logs are read, and notes when which line passed. */
class Gateway {
  readonly url: string;
  /** When each line that says its time was first in an answer. */
  readonly answered = new Map<string, number>();
  /** When the log of an apply was first asked for. */
  askedForApplyAt = Number.POSITIVE_INFINITY;
  readonly #server: Server;
  readonly #connections = new Set<unknown>();

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(house: string): Promise<Gateway> {
    const server = createServer((request, response) => {
      const isLog = request.url?.includes('/run-files/') === true && request.method === 'GET';
      if (isLog) gateway.#connections.add(request.socket);
      // It asks where the log is, and then for the log.
      if (request.url?.includes('/applies/') === true)
        gateway.askedForApplyAt = Math.min(gateway.askedForApplyAt, Date.now());
      const on = requestPlain(new URL(request.url ?? '/', house), {
        method: request.method,
        headers: request.headers,
      });
      on.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        if (isLog) answer.on('data', (bytes: Buffer) => gateway.#noted(String(bytes)));
        answer.pipe(response);
      });
      on.on('error', () => response.destroy());
      response.on('close', () => on.destroy());
      request.pipe(on);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const gateway = new Gateway(server);
    return gateway;
  }

  get logConnections(): number {
    return this.#connections.size;
  }

  forget(): void {
    this.#connections.clear();
    this.answered.clear();
    this.askedForApplyAt = Number.POSITIVE_INFINITY;
  }

  #noted(text: string): void {
    for (const [, at = ''] of text.matchAll(TICK))
      if (!this.answered.has(at)) this.answered.set(at, Date.now());
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
