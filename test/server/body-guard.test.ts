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
  function begin(): { sender: PassThrough; received: Promise<string>; end: () => void } {
    const sender = new PassThrough();
    const request = Object.assign(sender, { complete: false }) as unknown as IncomingMessage;
    const receive = async (): Promise<string> => {
      let text = '';
      for await (const chunk of guardBody(request)) text += Buffer.from(chunk).toString();
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

  it('is taken when it is slow and still comes at a rate that a poor line has', async () => {
    const { sender, received, end } = begin();
    for (let second = 0; second < 200; second += 10) {
      sender.write('x'.repeat(20_000));
      await vi.advanceTimersByTimeAsync(10_000);
    }
    end();
    expect((await received).length).toBe(400_000);
  });

  it('is an error and no end when it is cut short', async () => {
    const { sender, received } = begin();
    sender.write('first');
    await vi.advanceTimersByTimeAsync(10);
    sender.destroy();
    await expect(received).rejects.toThrow(new BodyBroken('the body broke off'));
  });
});
