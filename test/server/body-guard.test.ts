import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BodyBroken, guardBody } from '../../src/server/body-guard.ts';

describe('a body that comes too slowly', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** A request's body, written by the test, and what the guard lets through. */
  function begin(announced: number | null = null): {
    sender: PassThrough;
    received: Promise<string>;
    end: () => void;
  } {
    const sender = new PassThrough();
    const request = Object.assign(sender, { complete: false }) as unknown as IncomingMessage;
    const receive = async (): Promise<string> => {
      let text = '';
      for await (const chunk of guardBody(request, announced)) text += Buffer.from(chunk).toString();
      return text;
    };
    const received = receive();
    received.catch(() => undefined);
    return {
      sender,
      received,
      end: () => {
        Object.assign(request, { complete: true });
        sender.end();
      },
    };
  }

  it('is given up after half a minute of silence', async () => {
    const { sender, received } = begin();
    sender.write('first');
    await vi.advanceTimersByTimeAsync(29_000);
    sender.write('second');
    await vi.advanceTimersByTimeAsync(29_000);
    sender.write('third');
    await vi.advanceTimersByTimeAsync(31_000);
    await expect(received).rejects.toThrow(new BodyBroken('the body came too slowly'));
    expect(sender.destroyed).toBe(false);
  });

  it('is given up when it trickles for more than a minute', async () => {
    const { sender, received } = begin();
    for (let second = 0; second < 75; second += 5) {
      sender.write('drop');
      await vi.advanceTimersByTimeAsync(5_000);
    }
    await expect(received).rejects.toThrow(BodyBroken);
  });

  it('is given up after half a minute, whatever drips, when it was announced as small', async () => {
    const { sender, received } = begin(65_536);
    await flow(sender, 2_000, 29);
    expect(await Promise.race([received.catch(() => 'given up'), Promise.resolve('going on')])).toBe(
      'going on',
    );
    await flow(sender, 2_000, 2);
    await expect(received).rejects.toThrow(BodyBroken);
  });

  it('is taken when it is slow and still comes at a rate that a poor line has', async () => {
    const { sender, received, end } = begin();
    for (let second = 0; second < 200; second += 10) {
      sender.write('x'.repeat(20_000));
      await vi.advanceTimersByTimeAsync(10_000);
    }
    end();
    expect((await received).length).toBe(400_000);
  });

  /** Sends so many bytes each second, for as long as they are taken. */
  async function flow(sender: PassThrough, bytes: number, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      sender.write('x'.repeat(bytes));
      await vi.advanceTimersByTimeAsync(1_000);
    }
  }

  it('is given up after a minute when it drips and was announced as large', async () => {
    const { sender, received } = begin(512 * 1_048_576);
    await flow(sender, 2_048, 64);
    await expect(received).rejects.toThrow(BodyBroken);
  });

  it('is given up when it drips after it was fast', async () => {
    const { sender, received } = begin(512 * 1_048_576);
    await flow(sender, 1_000_000, 20);
    await flow(sender, 2_048, 64);
    await expect(received).rejects.toThrow(BodyBroken);
  });

  it('is given up in some quarter of an hour when it drips and nobody said how large it is', async () => {
    const { sender, received } = begin();
    await flow(sender, 2_048, 960);
    await expect(received).rejects.toThrow(BodyBroken);
  });

  it('is taken where 100 MB come on a line of 1 Mbit/s that falls silent now and then', async () => {
    const { sender, received, end } = begin(100_000_000);
    for (let sent = 0; sent < 100_000_000; sent += 5_000_000) {
      await flow(sender, 125_000, 40);
      await vi.advanceTimersByTimeAsync(25_000);
    }
    end();
    expect((await received).length).toBe(100_000_000);
  });

  it('is not blamed on the sender when the house itself takes its time', async () => {
    const sender = new PassThrough({ highWaterMark: 1_000 });
    const request = Object.assign(sender, { complete: false }) as unknown as IncomingMessage;
    const chunks = guardBody(request, 512 * 1_048_576);
    for (let read = 0; read < 10; read += 1) {
      sender.write('x'.repeat(100));
      expect((await chunks.next()).value).toHaveLength(100);
      await vi.advanceTimersByTimeAsync(60_000);
    }
    await chunks.return(undefined);
  });

  it('is an error and no end when it is cut short', async () => {
    const { sender, received } = begin();
    sender.write('first');
    await vi.advanceTimersByTimeAsync(10);
    sender.destroy();
    await expect(received).rejects.toThrow(new BodyBroken('the body broke off'));
  });
});
