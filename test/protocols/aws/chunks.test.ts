import { createHash, createHmac } from 'node:crypto';
import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from '../../../src/protocols/aws/checksum.ts';
import { newDigest, parseDigest } from '../../../src/protocols/wire/digest.ts';
import { PayloadProblem } from '../../../src/protocols/aws/payload-problem.ts';
import { openPayload, parsePayloadMode, planPayload } from '../../../src/protocols/aws/payload.ts';
import type { Verified } from '../../../src/protocols/aws/verify.ts';

const SIGNED: Verified = {
  signature: {
    form: 'header',
    accessKeyId: 'AK',
    scope: { date: '20130524', region: 'us-east-1', service: 's3' },
    signedHeaders: ['host'],
    signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    date: '20130524T000000Z',
    expires: null,
    token: null,
  },
  signingKey: ['20130524', 'us-east-1', 's3', 'aws4_request'].reduce<Uint8Array>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from('AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  ),
};

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** The data that come out, or the flaw that stopped them. */
async function open(
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  sizes: readonly number[] = [],
): Promise<string> {
  const mode = parsePayloadMode(headers['x-amz-content-sha256'] ?? '');
  if (mode === null) throw new Error('no mode');
  try {
    const plan = planPayload(mode, (name) => headers[name]);
    const out: Uint8Array[] = [];
    for await (const data of openPayload(pieces(body, sizes), plan, SIGNED)) out.push(Uint8Array.from(data));
    return Buffer.concat(out).toString('latin1');
  } catch (problem) {
    if (problem instanceof PayloadProblem) return `flaw: ${problem.flaw}`;
    throw problem;
  }
}

function base64(algorithm: ChecksumAlgorithm | 'md5', data: Uint8Array): string {
  const digest = newDigest(algorithm);
  digest.update(data);
  return Buffer.from(digest.digest()).toString('base64');
}

/** As clients write it: with a trailer, and signed where `sign` is set. */
function chunked(
  data: Uint8Array,
  chunkSize: number,
  trailer: Readonly<Record<string, string>>,
  sign: boolean,
): Buffer {
  const hex = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
  let previous = SIGNED.signature.signature;
  const next = (kind: string, ...hashes: readonly string[]): string => {
    const text = [kind, SIGNED.signature.date, '20130524/us-east-1/s3/aws4_request', previous, ...hashes];
    previous = createHmac('sha256', SIGNED.signingKey).update(text.join('\n')).digest('hex');
    return previous;
  };
  const out: Uint8Array[] = [];
  for (let at = 0; ; at += chunkSize) {
    const chunk = data.subarray(at, at + chunkSize);
    const mark = sign ? `;chunk-signature=${next('AWS4-HMAC-SHA256-PAYLOAD', hex(''), hex(chunk))}` : '';
    out.push(Buffer.from(`${chunk.length.toString(16)}${mark}\r\n`), chunk);
    if (chunk.length === 0) break;
    out.push(Buffer.from('\r\n'));
  }
  const fields = Object.entries(trailer);
  for (const [name, value] of fields) out.push(Buffer.from(`${name}:${value}\r\n`));
  if (sign && fields.length > 0) {
    const canonical = fields.map(([name, value]) => `${name}:${value}\n`).join('');
    out.push(Buffer.from(`x-amz-trailer-signature:${next('AWS4-HMAC-SHA256-TRAILER', hex(canonical))}\r\n`));
  }
  out.push(Buffer.from('\r\n'));
  return Buffer.concat(out);
}

describe('checksums', () => {
  it.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['sha1', createHash('sha1').update('123456789').digest('hex')],
    ['sha256', createHash('sha256').update('123456789').digest('hex')],
  ] as const)('%s has its check value', (algorithm, hex) => {
    const digest = newDigest(algorithm);
    digest.update(Buffer.from('1234'));
    digest.update(Buffer.from('56789'));
    expect(Buffer.from(digest.digest()).toString('hex')).toBe(hex);
  });

  it('are read only where they are whole and well written', () => {
    expect(parseDigest('crc32', 'y/Q5Jg==')).toEqual(Buffer.from('cbf43926', 'hex'));
    for (const wrong of ['', 'y/Q5Jg', 'y/Q5J', 'y_Q5Jg==', 'y/Q5Jh==', ' y/Q5Jg==', 'AAAAAAAAAAA=']) {
      expect(parseDigest('crc32', wrong)).toBeNull();
    }
  });
});

describe('a chunked body', () => {
  it("is AWS's own example: 65 kB of the letter a, signed in two chunks", async () => {
    const first = 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648';
    const second = '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497';
    const last = 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9';
    const body = `10000;chunk-signature=${first}\r\n${'a'.repeat(65_536)}\r\n400;chunk-signature=${second}\r\n${'a'.repeat(1_024)}\r\n0;chunk-signature=${last}\r\n\r\n`;
    const headers = {
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-decoded-content-length': '66560',
    };
    expect(await open(Buffer.from(body), headers)).toBe('a'.repeat(66_560));
    expect(await open(Buffer.from(body.replace('\na', '\nb')), headers)).toBe('flaw: chunk-signature');
  });

  const shape = fc.record({
    data: fc.uint8Array({ maxLength: 300 }),
    chunkSize: fc.integer({ min: 1, max: 120 }),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
    algorithm: fc.constantFrom(...CHECKSUM_ALGORITHMS),
    signed: fc.boolean(),
  });
  const headersOf = (signed: boolean, algorithm: string, length: number): Record<string, string> => ({
    'x-amz-content-sha256': signed
      ? 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
      : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-trailer': `x-amz-checksum-${algorithm}`,
    'x-amz-decoded-content-length': String(length),
  });

  it('comes out as it went in, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ data, chunkSize, sizes, algorithm, signed }) => {
        const trailer = { [`x-amz-checksum-${algorithm}`]: base64(algorithm, data) };
        const body = chunked(data, chunkSize, trailer, signed);
        const out = await open(body, headersOf(signed, algorithm, data.length), sizes);
        expect(out).toBe(Buffer.from(data).toString('latin1'));
      }),
      { numRuns: 500 },
    );
  });

  it('is refused where a byte is changed, lost or added, or a length is a lie', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.nat(),
        fc.constantFrom('flip', 'drop', 'add', 'length'),
        async (given, at, how) => {
          const { data, chunkSize, algorithm, signed } = given;
          const trailer = { [`x-amz-checksum-${algorithm}`]: base64(algorithm, data) };
          const body = chunked(data, chunkSize, trailer, signed);
          const where = at % body.length;
          const changed = {
            flip: () => Buffer.from(body.with(where, (body[where] ?? 0) ^ 0x01)),
            drop: () => Buffer.concat([body.subarray(0, where), body.subarray(where + 1)]),
            add: () => Buffer.concat([body, Buffer.from('x')]),
            length: () => body,
          }[how]();
          const length = how === 'length' ? data.length + 1 : data.length;
          const out = await open(changed, headersOf(signed, algorithm, length));
          // What does not change the data, such as the case of a trailer's name, may pass.
          if (how === 'flip' || how === 'drop') {
            expect([Buffer.from(data).toString('latin1')].includes(out) || out.startsWith('flaw: ')).toBe(
              true,
            );
          } else expect(out).toMatch(/^flaw: /);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is refused where a chunk is missing or in another place', async () => {
    const data = Buffer.from('abcdefghij');
    const trailer = { 'x-amz-checksum-sha256': base64('sha256', data) };
    const parts = chunked(data, 5, trailer, true).toString('latin1').split('\r\n');
    const swapped = [parts[2], parts[3], parts[0], parts[1], ...parts.slice(4)].join('\r\n');
    expect(await open(Buffer.from(swapped), headersOf(true, 'sha256', 10))).toBe('flaw: chunk-signature');
    const unsigned = chunked(data, 5, trailer, false);
    expect(await open(unsigned, headersOf(true, 'sha256', 10))).toBe('flaw: chunk-signature');
  });

  it('is bounded in its lines and its trailer', async () => {
    const headers = headersOf(false, 'sha256', 0);
    expect(await open(Buffer.from(`0${' '.repeat(400)}\r\n\r\n`), headers)).toBe('flaw: malformed-chunks');
    expect(await open(Buffer.from(`0\r\nx-a:${'b'.repeat(9_000)}\r\n\r\n`), headers)).toBe(
      'flaw: malformed-chunks',
    );
    expect(await open(Buffer.from(`0\r\n${'x-a:b\r\n'.repeat(2)}\r\n`), headers)).toBe(
      'flaw: malformed-chunks',
    );
    expect(await open(Buffer.from('0\r\n\r\n'), headers)).toBe('flaw: invalid-digest');
    expect(await open(Buffer.from('fffffffffffff\r\n'), headers)).toBe('flaw: malformed-chunks');
    expect(await open(Buffer.from('ffffffff\r\nabc'), headers)).toBe('flaw: incomplete');
  });
});

describe('a plain body', () => {
  const data = Buffer.from('{"version":4}');
  const hash = createHash('sha256').update(data).digest('hex');

  it('is checked against every digest that came with it', async () => {
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      const headers = {
        'x-amz-content-sha256': hash,
        [`x-amz-checksum-${algorithm}`]: base64(algorithm, data),
      };
      expect(await open(data, headers)).toBe(data.toString());
      expect(
        await open(Buffer.from('{"version":5}'), { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }),
      ).toBe('flaw: bad-digest');
    }
    const md5 = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'content-md5': base64('md5', data) };
    expect(await open(data, md5)).toBe(data.toString());
    expect(await open(Buffer.from('other'), md5)).toBe('flaw: bad-digest');
    expect(await open(Buffer.from('other'), { 'x-amz-content-sha256': hash })).toBe('flaw: sha256-mismatch');
  });

  it('is refused where what came with it is no digest', async () => {
    const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    for (const headers of [
      { 'x-amz-checksum-sha256': 'AAAA' },
      { 'x-amz-checksum-sha256': base64('sha256', data), 'x-amz-checksum-crc32': base64('crc32', data) },
      { 'x-amz-sdk-checksum-algorithm': 'SHA256' },
    ]) {
      expect(await open(data, { ...unsigned, ...headers })).toBe('flaw: invalid-digest');
    }
    expect(await open(data, { ...unsigned, 'content-md5': 'nonsense' })).toBe('flaw: invalid-md5');
    expect(parsePayloadMode('STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD')).toBeNull();
    expect(parsePayloadMode('constructor')).toBeNull();
    const chunkedMode = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };
    expect(await open(data, chunkedMode)).toBe('flaw: incomplete');
    expect(
      await open(data, {
        ...chunkedMode,
        'x-amz-decoded-content-length': '0',
        'x-amz-trailer': 'x-amz-meta',
      }),
    ).toBe('flaw: invalid-digest');
  });
});
