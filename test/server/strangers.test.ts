import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { Strangers } from '../../src/server/strangers.ts';

interface Line {
  readonly message: string;
  readonly fields: unknown;
}

function open(): { clock: ManualClock; strangers: Strangers; lines: Line[] } {
  const clock = new ManualClock();
  const lines: Line[] = [];
  const say = (): void => undefined;
  const warn = (message: string, fields: unknown): void => void lines.push({ message, fields });
  const log = { debug: say, info: say, warn, error: say };
  return { clock, lines, strangers: new Strangers({ clock, log }) };
}

const from = (peer: string, gone = new AbortController().signal): Parameters<Strangers['refused']>[0] => ({
  peer,
  door: 'http',
  gone,
});

/** How many of the answers have come by now. */
async function come(answers: readonly Promise<boolean>[]): Promise<number> {
  let count = 0;
  for (const answer of answers) void answer.then(() => (count += 1));
  await new Promise((resolve) => void setImmediate(resolve));
  return count;
}

describe('wrong credentials', () => {
  it('are answered at once a few times, then slowly, and those of others are not', async () => {
    const { clock, strangers } = open();
    const answers = Array.from({ length: 30 }, () => strangers.refused(from('192.0.2.1')));
    expect(await come(answers)).toBe(20);
    expect(await come([strangers.refused(from('192.0.2.2'))])).toBe(1);
    clock.advance(2_000);
    expect(await come(answers)).toBe(30);
  });

  it('are put off in bounded number, and the rest are told to come again later', async () => {
    const { clock, strangers } = open();
    const answers = Array.from({ length: 1_000 }, () => strangers.refused(from('2001:db8::1')));
    const turnedAway = (await Promise.all(answers.slice(120))).filter((answered) => !answered);
    expect(turnedAway).toHaveLength(880);
    expect(await strangers.refused(from('2001:db8::2'))).toBe(false);
    clock.advance(2_000);
    expect(await Promise.all(answers.slice(0, 120))).not.toContain(false);
  });

  it('are not waited for once the client has left', async () => {
    const { strangers } = open();
    const leave = new AbortController();
    const answers = Array.from({ length: 21 }, () => strangers.refused(from('192.0.2.1', leave.signal)));
    expect(await come(answers)).toBe(20);
    leave.abort();
    expect(await come(answers)).toBe(21);
  });

  it('are logged once a minute for an address, with how many there were', async () => {
    const { clock, strangers, lines } = open();
    for (let n = 0; n < 10; n += 1) void strangers.refused(from('192.0.2.1'));
    expect(lines).toEqual([
      {
        message: 'a wrong credential was presented',
        fields: { peer: '192.0.2.1', door: 'http', sinceLastLine: 1 },
      },
    ]);
    clock.advance(60_000);
    void strangers.refused(from('192.0.2.1'));
    expect(lines.at(-1)?.fields).toMatchObject({ sinceLastLine: 10 });
    for (let n = 0; n < 1_000; n += 1) void strangers.refused(from(`198.51.100.${n}`));
    expect(lines.length).toBeLessThan(30);
  });
});
