import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../../src/protocols/wire/loopback.ts';
import { TestHouse } from '../../support/open-test-house.ts';
import { ask, type Answer } from '../../support/request.ts';
import { TEST_ADMIN } from '../../support/test-admin.ts';
import { signWithSmithy } from '../aws/request-signers.ts';
import { stateText } from '../aws/sdk.ts';
import { code } from '../aws/send-signed.ts';

/** An address of this machine by which it is another to itself. */
const OUTSIDE = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const IN_CHUNKS = {
  'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'x-amz-decoded-content-length': String(stateText(1).length),
  'content-encoding': 'aws-chunked',
};
const chunked = `${stateText(1).length.toString(16)}\r\n${stateText(1)}\r\n0\r\n\r\n`;

async function put(house: TestHouse, host: string, headers: Record<string, string>, body: string) {
  const { port } = new URL(house.url);
  const url = `http://${host}:${port}`;
  const asked = { method: 'PUT', path: '/acme/x', query: [], service: 's3', region: 'us-east-1' };
  const signed = await signWithSmithy(
    { ...asked, host: `${host}:${port}`, headers, body, date: new Date() },
    undefined,
    TEST_ADMIN,
  );
  return ask(url, 'PUT', '/acme/x', { headers: headersOf(signed.rawHeaders), body, as: null });
}

function headersOf(raw: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? '']] : [])),
  );
}

describe('a body that is not signed', () => {
  it.skipIf(OUTSIDE === undefined)('comes over plain HTTP from this machine alone', async () => {
    await using house = await TestHouse.open({ host: '0.0.0.0' });
    const unsigned = { 'x-amz-content-sha256': UNSIGNED };
    const refused: Answer[] = [
      await put(house, OUTSIDE ?? '', unsigned, stateText(1)),
      await put(house, OUTSIDE ?? '', IN_CHUNKS, chunked),
    ];
    expect(refused.map(code)).toEqual(['403 AccessDenied', '403 AccessDenied']);
    for (const { text } of refused) expect(text).toContain('--allow-unsigned-bodies');
    expect((await house.ask('GET', '/http/acme/x')).status).toBe(404);
    expect((await put(house, '127.0.0.1', unsigned, stateText(1))).status).toBe(200);
    expect((await put(house, '127.0.0.1', IN_CHUNKS, chunked)).status).toBe(200);
    // Signed, and without a body at all.
    expect((await put(house, OUTSIDE ?? '', {}, stateText(1))).status).toBe(200);
    expect(code(await put(house, OUTSIDE ?? '', unsigned, ''))).not.toBe('403 AccessDenied');
  });

  it.skipIf(OUTSIDE === undefined)('comes from everywhere where a proxy ends TLS', async () => {
    await using house = await TestHouse.open({
      host: '0.0.0.0',
      s3: { account: '000000000000', strict: false, unsignedBodies: true, deleteVersions: false },
    });
    expect((await put(house, OUTSIDE ?? '', IN_CHUNKS, chunked)).status).toBe(200);
  });

  it('is safe on the way to this very machine', () => {
    const near = ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'];
    const far = ['10.0.0.1', '::ffff:10.0.0.1', '127.evil.example.1.2', '1.127.0.0', 'fe80::1', ''];
    expect(near.map(isLoopback)).toEqual(near.map(() => true));
    expect(far.map(isLoopback)).toEqual(far.map(() => false));
  });
});
