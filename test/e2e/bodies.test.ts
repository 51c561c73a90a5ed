import { randomBytes } from 'node:crypto';
import { ListObjectsV2Command, type _Object } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readBodyPlace } from '../../src/server/bodies/place.ts';
import type { BodySettings } from '../../src/server/configuration.ts';
import { makeBucket, s3Of } from '../clients/fixtures/moto.ts';
import { findMoto, MotoServer } from '../support/moto-server.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleState } from '../support/sample-state.ts';
import { findTerraform } from '../support/terraform.ts';
import { httpFolder, resource } from './fixtures/http-folder.ts';

const [terraform, moto] = await Promise.all([findTerraform(), findMoto()]);

function settingsFor(text: string): BodySettings {
  const place = readBodyPlace(text);
  if (place === null || 'problem' in place) throw new Error(`${text} is no place`);
  return { place, least: 64 * 1_024, kept: 0, takesOver: false };
}

/** A state that hardly can be compressed. */
function large(serial: number, megabytes: number): string {
  return sampleState(serial, { said: randomBytes(megabytes * 750_000).toString('base64') });
}

describe.skipIf(terraform === null || moto === null)(
  'terraform with large states in S3 (skipped unless terraform and moto_server are on PATH)',
  () => {
    let s3: MotoServer;
    let house: TestHouse;

    beforeAll(async () => {
      s3 = await MotoServer.start(moto!);
      await makeBucket(s3, 'bodies');
      for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
      house = await TestHouse.open({ bodies: settingsFor('s3://bodies/team') });
    });

    afterAll(async () => {
      await house?.close();
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
  },
);

/** Terraform writes a state in its own way, and gives one that is pushed for the first time its own lineage. */
function saidIn(state: string): string {
  return (JSON.parse(state) as { outputs: { said: { value: string } } }).outputs.said.value;
}
