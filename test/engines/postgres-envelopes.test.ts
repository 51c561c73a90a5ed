import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DatabaseTime } from '../../src/engines/postgres/signals/database-time.ts';
import { Envelopes, HANDOVERS_MAX, SIGNALS_BYTES_MAX } from '../../src/engines/postgres/signals/envelopes.ts';
import { readSignal } from '../../src/engines/postgres/signals/signal-shape.ts';
import { makeMasterKey, type MasterKey } from '../../src/keyring/key-text.ts';
import { Keyring } from '../../src/keyring/keyring.ts';
import { MessageKeys } from '../../src/keyring/message-keys.ts';
import type { Signal } from '../../src/ports/signals.ts';

const NOW = 1_700_000_000_000;
const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const HANDOVER = {
  seat: `${A}:7`,
  lockId: 'two',
  subject: 'token:ci',
  door: 'http',
  operation: 'OperationTypeApply',
  fence: 2,
};
const SIGNAL: Signal = {
  address: { project: 'acme', key: 'net/terraform.tfstate', workspace: 'dev' },
  event: 'lock-released',
  subject: 'token:ci',
  door: 'http',
  facts: { lock: 'one', locks: 1, broken: false },
  handovers: [HANDOVER],
};

function newKey(): MasterKey {
  return makeMasterKey(randomBytes(32));
}

function node(me: string, keyring: Keyring, channel = 'statehouse'): Envelopes {
  const envelopes = new Envelopes({ me, channel, sealer: new MessageKeys(keyring) });
  envelopes.listeningSince(NOW);
  return envelopes;
}

function sealed(by: Envelopes, at = NOW): string {
  return by.seal([SIGNAL], at) ?? '';
}

describe('a payload between nodes', () => {
  it('says the same to a node with the same master key', () => {
    const keyring = new Keyring([newKey()]);
    const opened = node(B, keyring).open(sealed(node(A, keyring)), NOW + 5);
    expect(opened).toEqual({ from: A, signals: [SIGNAL], misshapen: 0 });
  });

  it('is understood by nodes that know its key while the master key is changed, and by no others', () => {
    const [former, next] = [newKey(), newKey()];
    const changed = new Keyring([former]);
    const [a, b] = [node(A, changed), node(B, new Keyring([next, former]))];
    expect(b.open(sealed(a), NOW)).toMatchObject({ from: A });
    changed.adopt([next, former]);
    expect(b.open(sealed(a), NOW)).toMatchObject({ from: A });
    expect(node(B, new Keyring([former])).open(sealed(a), NOW)).toBe('foreign');
  });

  it('is not believed twice, late, ahead of time, or from before the node listened', () => {
    const keyring = new Keyring([newKey()]);
    const [a, b] = [node(A, keyring), node(B, keyring)];
    const [first, second] = [sealed(a), sealed(a, NOW + 1_000)];
    expect(b.open(first, NOW)).toMatchObject({ from: A });
    expect(b.open(first, NOW)).toBe('repeated');
    expect(b.open(second, NOW + 1_000)).toMatchObject({ from: A });
    expect(b.open(first, NOW + 1_000)).toBe('repeated');
    expect(node(B, keyring).open(second, NOW + 60_000)).toBe('repeated');
    expect(node(B, keyring).open(sealed(a, NOW + 60_000), NOW)).toBe('repeated');
    const restarted = node(B, keyring);
    restarted.listeningSince(NOW + 2_000);
    expect(restarted.open(second, NOW + 2_000)).toBe('repeated');
  });

  it('is remembered for as long as a copy could be believed, however many nodes come and go', () => {
    const keyring = new Keyring([newKey()]);
    const b = node(B, keyring);
    const copies = Array.from({ length: 50 }, (_, count) =>
      sealed(node(A.replace(/..$/, String(count + 10)), keyring), NOW + count * 5_000),
    );
    for (const [count, copy] of copies.entries()) {
      const now = NOW + count * 5_000;
      expect(b.open(copy, now)).toMatchObject({ signals: [SIGNAL] });
      for (const earlier of copies.slice(0, count + 1)) expect(b.open(earlier, now)).toBe('repeated');
    }
  });

  it('counts on its own channel and from its own sender alone', () => {
    const keyring = new Keyring([newKey()]);
    const payload = sealed(node(A, keyring));
    expect(node(B, keyring, 'other').open(payload, NOW)).toBe('foreign');
    expect(node(B, keyring).open(payload.replace(A, B), NOW)).toBe('foreign');
  });

  it('fits into a NOTIFY whatever the signals are that fill it, and is not made where it would not', () => {
    const a = node(A, new Keyring([newKey()]));
    const facts = { lock: 'x'.repeat(SIGNALS_BYTES_MAX - 1_000) };
    expect((a.seal([{ ...SIGNAL, facts }], NOW) ?? '').length).toBeGreaterThan(6_000);
    expect(a.seal([{ ...SIGNAL, facts: { lock: 'x'.repeat(8_000) } }], NOW)).toBeNull();
    const long = {
      ...HANDOVER,
      lockId: 'l'.repeat(200),
      operation: 'o'.repeat(200),
      subject: 's'.repeat(140),
    };
    const most = {
      ...SIGNAL,
      address: { project: 'p'.repeat(63), key: 'k'.repeat(900), workspace: 'w'.repeat(90) },
      handovers: Array.from({ length: HANDOVERS_MAX }, () => long),
    };
    expect(a.seal([most], NOW)?.length).toBeLessThan(7_900);
  });

  it('leaves out signals of a shape that is not known, and says how many', () => {
    const keyring = new Keyring([newKey()]);
    const [a, b] = [node(A, keyring), node(B, keyring)];
    const later = { ...SIGNAL, event: 'of-a-later-version' } as unknown as Signal;
    const payload = a.seal([later, SIGNAL], NOW) ?? '';
    expect(b.open(payload, NOW)).toEqual({ from: A, signals: [SIGNAL], misshapen: 1 });
  });
});

describe('the shape of a signal', () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a text', 'signal'],
    ['a list', [SIGNAL]],
    ['no fields', {}],
    ['no address', { ...SIGNAL, address: null }],
    ['an address that is none', { ...SIGNAL, address: { ...SIGNAL.address, key: '../x' } }],
    ['an unknown event', { ...SIGNAL, event: 'constructor' }],
    ['no event at all', { ...SIGNAL, event: undefined }],
    ['a subject that is no text', { ...SIGNAL, subject: 1 }],
    ['a subject without end', { ...SIGNAL, subject: 'x'.repeat(2_000) }],
    ['no door', { ...SIGNAL, door: undefined }],
    ['no facts', { ...SIGNAL, facts: null }],
    ['facts within facts', { ...SIGNAL, facts: { lock: {} } }],
    ['a fact with an odd name', { ...SIGNAL, facts: { 'a b': 1 } }],
    ['many facts', { ...SIGNAL, facts: Object.fromEntries([...'abcdefghijklmnopqrst'].map((n) => [n, 1])) }],
    ['no hand-overs', { ...SIGNAL, handovers: null }],
    ['a hand-over that is null', { ...SIGNAL, handovers: [null] }],
    ['a seat that is none', { ...SIGNAL, handovers: [{ ...HANDOVER, seat: 'x' }] }],
    ['a fence that is none', { ...SIGNAL, handovers: [{ ...HANDOVER, fence: 0.5 }] }],
    ['many hand-overs', { ...SIGNAL, handovers: Array.from({ length: HANDOVERS_MAX + 1 }, () => HANDOVER) }],
  ];

  it.each(wrong)('is not that of %s', (_, value) => {
    expect(readSignal(value, HANDOVERS_MAX)).toBeNull();
  });

  it('is kept without what does not belong there', () => {
    const more = { ...SIGNAL, more: 1, handovers: [{ ...HANDOVER, more: 1 }] };
    expect(readSignal(more, HANDOVERS_MAX)).toEqual(SIGNAL);
    expect(readSignal({ ...SIGNAL, event: null, facts: {} }, HANDOVERS_MAX)).toMatchObject({ event: null });
  });
});

describe("the database's time", () => {
  it('follows from an answer, unless that took too long to be of use', async () => {
    let monotonic = 1_000;
    const time = new DatabaseTime(() => monotonic);
    const ask = (roundTrip: number, at: number): Promise<void> =>
      time.ask(async () => {
        monotonic += roundTrip;
        return at;
      });
    expect(time.now).toBeNull();
    await ask(200, NOW);
    expect(time.now).toBe(NOW + 100);
    await ask(4_000, NOW);
    expect(time.now).toBe(NOW + 4_100);
    await ask(200, NOW + 9_000);
    expect(time.now).toBe(NOW + 9_100);
  });
});
