import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { readRelated } from '../../../src/protocols/gcs/door/related.ts';

const TYPE = 'multipart/related; boundary="x y"';

describe('a body of two parts', () => {
  it('gives back metadata and media, however the bytes are cut', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 });
    // What looks like the boundary, and is none, belongs to the media.
    const media = fc.array(fc.constantFrom('a', '\r\n', '--x y', '\r\n--x', '-'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(cuts, media, async (sizes, words) => {
        const text = words.join('');
        // What has the boundary in it is not sent by anybody.
        fc.pre(!text.includes('\r\n--x y'));
        const read = await readRelated(inPieces(bodyOf(text), sizes), TYPE);
        expect(Buffer.from(read.metadata).toString()).toBe('{"name":"n"}');
        expect(await textOf(read.media)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('is read as gsutil writes it, with LF and a boundary in single quotes', async () => {
    const body = bodyOf('a\r\nb')
      .replaceAll('\r\n', '\n')
      .replace('a\nb', 'a\r\nb')
      .replaceAll('--x y', '--=1=');
    const { metadata, media } = await readRelated(inPieces(body, [7]), "multipart/related; boundary='=1='");
    expect(Buffer.from(metadata).toString()).toBe('{"name":"n"}');
    expect(await textOf(media)).toBe('a\r\nb');
  });

  it.each([
    ['no boundary in its type', bodyOf('a'), 'multipart/related'],
    ['another type', bodyOf('a'), 'text/plain; boundary=x'],
    ['one part', '--x y\r\nA: b\r\n\r\n{}\r\n--x y--', TYPE],
    ['metadata without an end', `--x y\r\n\r\n${'a'.repeat(200_000)}`, TYPE],
    ['no last boundary', bodyOf('a').replace('--x y--', '--x'), TYPE],
    ['nothing in it', '', TYPE],
  ])('is refused with %s', async (_, body, type) => {
    const read = async (): Promise<string> =>
      textOf((await readRelated(inPieces(body, [1_000]), type)).media);
    await expect(read()).rejects.toThrow(/upload/);
  });
});

function bodyOf(media: string): string {
  return `--x y\r\nContent-Type: application/json\r\n\r\n{"name":"n"}\r\n--x y\r\nContent-Type: a/b\r\n\r\n${media}\r\n--x y--\r\n`;
}

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}
