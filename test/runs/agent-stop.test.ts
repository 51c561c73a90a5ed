import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/runs/agents/wire.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { eventually } from '../support/eventually.ts';
import { PLAYED_VERSION, playedPrograms } from './played-program.ts';
import { newPool, PlayingAgent, useAgents } from './playing-agent.ts';
import { NET, RunningHouse, slugOf } from './running-house.ts';

describe('an agent that is stopped', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;

  beforeAll(async () => {
    programs = await playedPrograms();
  });
  afterAll(async () => {
    await programs[Symbol.asyncDispose]();
  });

  it('ends a program by force that does not end in order', async () => {
    await using house = await RunningHouse.open({ mode: 'agents' });
    const pool = await newPool(house.runs, 'app');
    await useAgents(house.runs, NET, pool.id);
    const agent = await PlayingAgent.start(house.house, pool.token, { programs: programs.path, within: 200 });
    const slug = await slugOf({ 'main.tf': '', 'plan.sh': `trap '' TERM; echo begun; sleep 100` });
    const { id } = await house.run(await house.configuration(slug), { version: PLAYED_VERSION });
    await eventually('the plan has begun', async () => (await house.log(id, 'plan')).includes('begun'));
    await agent.stop();
    const run = await house.until(id, 'errored');
    expect(await house.log(id, 'plan')).toMatch(/the agent was stopped/);
    expect(run.job).toBeNull();
    await agent[Symbol.asyncDispose]();
  });

  it('is gone after a while, whatever hangs', async () => {
    await using server = await EndlessServer.open();
    await using agent = await AgentProcess.start(server.url, 'at-1.secret', [
      `--run-programs=${programs.path}`,
      '--stop-wait=0s',
    ]);
    await server.asked;
    const { code } = await agent.kill('SIGTERM');
    expect(code).toBe(1);
  });
});

/** Gives an agent a phase whose configuration comes byte by byte, and never ends. */
class EndlessServer implements AsyncDisposable {
  readonly url: string;
  readonly asked: Promise<void>;
  readonly #close: () => void;

  private constructor(url: string, asked: Promise<void>, close: () => void) {
    this.url = url;
    this.asked = asked;
    this.#close = close;
  }

  static async open(): Promise<EndlessServer> {
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const job: Job = {
      run: {
        id: 'run-1',
        address: NET,
        kind: 'plan',
        task: {
          destroy: false,
          refresh: true,
          refreshOnly: false,
          targets: [],
          replaces: [],
          generatesConfiguration: false,
          autoApply: false,
        },
        program: 'terraform',
        version: PLAYED_VERSION,
        directory: '',
        lockId: '',
      },
      phase: 'plan',
      secret: 'secret',
      token: 'token',
      logOffset: 0,
      lease: 60_000,
    };
    const answers: Readonly<Record<string, object>> = {
      beat: { signal: 'go-on' },
      log: { size: 1_000 },
      next: job,
    };
    const timers: NodeJS.Timeout[] = [];
    const server = createServer((request, response) => {
      const name = /\/([a-z-]+)(?:\?.*)?$/.exec(request.url ?? '')?.[1] ?? '';
      if (name === 'configuration') {
        timers.push(setInterval(() => response.write('x'), 100));
        isAsked();
      } else response.end(JSON.stringify(answers[name] ?? { id: 'a', pool: 'p', project: 'app' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new EndlessServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, () => {
      for (const timer of timers) clearInterval(timer);
      server.closeAllConnections();
      server.close();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}
