import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { ListObjectsV2Command, type _Object } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readBodyPlace } from '../../src/server/bodies/place.ts';
import type { BodySettings } from '../../src/server/configuration.ts';
import { makeBucket, s3Of } from '../clients/fixtures/moto.ts';
import { eventually } from '../support/eventually.ts';
import { findMoto, MotoServer } from '../support/moto-server.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';
import { findTerraform } from '../support/terraform.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';
import { addressAt } from './fixtures/view.ts';

const [terraform, moto] = await Promise.all([findTerraform(), findMoto()]);

function settingsFor(text: string): BodySettings {
  const place = readBodyPlace(text);
  if (place === null || 'problem' in place) throw new Error(`${text} is no place`);
  return { place, least: 64 * 1_024, kept: 0, takesOver: false };
}

/** A state that hardly can be compressed. */
function large(serial: number, megabytes: number, lineage = 'lineage-1'): string {
  return sampleState(serial, { said: randomBytes(megabytes * 750_000).toString('base64'), lineage });
}

describe.skipIf(terraform === null || moto === null)(
  'terraform with large states in S3 (skipped unless terraform and moto_server are on PATH)',
  () => {
    let s3: MotoServer;
    let way: SwitchedWay;
    let house: TestHouse;

    beforeAll(async () => {
      s3 = await MotoServer.start(moto!);
      await makeBucket(s3, 'bodies');
      for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
      way = await SwitchedWay.start(Number(new URL(s3.url).port));
      house = await TestHouse.open({
        bodies: settingsFor(`s3://bodies/team?endpoint=http://127.0.0.1:${way.port}`),
      });
    });

    afterAll(async () => {
      await house?.close();
      await way?.[Symbol.asyncDispose]();
      await s3?.[Symbol.asyncDispose]();
      vi.unstubAllEnvs();
    });

    async function objects(): Promise<readonly _Object[]> {
      const client = s3Of(s3);
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'bodies' }));
      client.destroy();
      return Contents.filter(({ Key }) => Key !== 'team/statehouse-mark');
    }

    it('pushes 30 MB, changes them, and pulls every byte; the database keeps rows', async () => {
      await using folder = await httpFolder(terraform!, { url: house.url, path: 'acme/large' }, '');
      const text = large(1, 30);
      await folder.write('large.tfstate', text);
      await folder.must('state', 'push', 'large.tfstate');
      expect(saidIn(await folder.must('state', 'pull')) === saidIn(text)).toBe(true);
      const [only, ...others] = await objects();
      expect(others).toEqual([]);
      expect(only?.Key).toMatch(/^team\/[0-9a-f-]{36}$/);
      expect(only?.Size).toBeGreaterThan(20_000_000);
      expect(await house.engine.objects(null, 10)).toHaveLength(1);

      await folder.write('main.tf', resource('one'));
      await folder.must('apply', '-auto-approve');
      expect(await folder.must('plan', '-detailed-exitcode')).toContain('No changes');
      expect(await folder.must('state', 'list')).toContain('terraform_data.one');
    });

    it('keeps what the store did not take in errored.tfstate; small states go on, and it is pushed later', async () => {
      const output = 'output "said" {\n  value = file("said.txt")\n}\n';
      const place = { url: house.url, path: 'acme/down' };
      await using folder = await httpFolder(terraform!, place, resource('one') + output);
      await folder.write('said.txt', randomBytes(150_000).toString('base64'));
      await folder.must('apply', '-auto-approve');
      const { lineage } = JSON.parse(await folder.must('state', 'pull')) as { lineage: string };
      // The plan has read the state before the store goes down, and only the write meets it.
      const work = `touch ${folder.path}/applying; sleep 2`;
      await folder.write('main.tf', resource('one') + resource('two', 'two', work) + output);
      const applying = folder.start(['apply', '-auto-approve']);
      await eventually('it applies', async () => (await folder.read('applying')) !== null);
      const before = await house.engine.version(addressAt('acme/down'), null);
      way.refuses = true;
      const end = await applying.end;
      expect(end.code).toBe(1);
      expect(await folder.read('errored.tfstate')).toContain('"two"');
      expect(await house.engine.version(addressAt('acme/down'), null)).toEqual(before);
      const written = await house.ask('POST', '/http/acme/down?ID=', { body: large(99, 1, lineage) });
      expect(written.status).toBe(503);
      expect(written.headers['retry-after']).toBe('1');
      expect((await house.ask('GET', '/http/acme/down')).status).toBe(503);
      const small = await house.ask('POST', '/http/acme/small', { body: sampleState(1) });
      expect(small.status).toBe(200);
      expect((await house.ask('GET', '/readyz')).text).toContain('the body store does not answer');
      way.refuses = false;
      await folder.must('state', 'push', 'errored.tfstate');
      expect(await folder.must('state', 'list')).toContain('terraform_data.two');
      const metrics = (await house.ask('GET', '/metrics')).text;
      expect(metrics).toMatch(
        /statehouse_body_store_duration_seconds_count\{operation="put",outcome="failed"\} [1-9]/,
      );
      expect(metrics).toMatch(/statehouse_body_store_bytes_total\{operation="get"\} [1-9]/);
    });
  },
);

/** The way to a port, on which connections can be turned away. */
class SwitchedWay implements AsyncDisposable {
  refuses = false;
  readonly #server: Server;

  private constructor(server: Server, target: number) {
    this.#server = server;
    server.on('connection', (client) => {
      if (this.refuses) return client.destroy();
      const there = connect(target, '127.0.0.1');
      for (const [one, other] of [
        [client, there],
        [there, client],
      ] as const) {
        one.on('data', (chunk) => (this.refuses ? client.destroy() : other.write(chunk)));
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
      return client;
    });
  }

  static async start(target: number): Promise<SwitchedWay> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SwitchedWay(server, target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuses = true;
    this.#server.close();
  }
}

/** Terraform writes a state in its own way, and gives one that is pushed for the first time its own lineage. */
function saidIn(state: string): string {
  return (JSON.parse(state) as { outputs: { said: { value: string } } }).outputs.said.value;
}
