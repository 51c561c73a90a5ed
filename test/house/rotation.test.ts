import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { makeAddress, type Address } from '../../src/core/address.ts';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import type { Caller } from '../../src/house/caller.ts';
import { House } from '../../src/house/house.ts';
import { LocalSignals } from '../../src/house/local-signals.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';
import { Keyring, sealedKeyId } from '../../src/keyring/keyring.ts';
import { systemClock, systemEntropy } from '../../src/server/runtime.ts';

const CALLER: Caller = {
  identity: { subject: 'token:ann', grants: [{ role: 'admin', pattern: '*' }] },
  door: 'test',
};
const ADDRESS = makeAddress('acme', 'net.tfstate') as Address;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

function stateText(serial: number): string {
  return `{"version":4,"terraform_version":"1.11.4","serial":${serial},"lineage":"l","outputs":{},"resources":[]}`;
}

function build(): { house: House; keyring: Keyring } {
  const keyring = new Keyring([makeMasterKey(randomBytes(32))]);
  const house = new House({
    engine: new MemoryEngine(systemClock, sealedKeyId),
    sealer: keyring,
    signals: new LocalSignals(SILENT),
    clock: systemClock,
    entropy: systemEntropy,
    log: SILENT,
    stateBytesMax: 1_000_000,
    inFlightBytesMax: 1_000_000,
    uploadBytesMax: 1_000_000,
    uploadIdle: 3_600_000,
    refusedKept: 14 * 86_400_000,
    refusedBytesMax: 4_000_000,
    waitersMax: 100,
    plansShare: true,
    breakGuard: 0,
    retention: {},
    expiryGrace: 0,
    pageSessionIdle: 3_600_000,
    pageSessionLength: 12 * 3_600_000,
    deadCredentialsKept: 1,
    auditKept: 0,
    alarms: { stuckFactor: 10, stuckFloor: 1_800_000, backupMaxAge: 0 },
  });
  return { house, keyring };
}

describe('a change of the master key', () => {
  it('leaves a state readable that was coming in while the key was changed', async () => {
    const { house, keyring } = build();
    const [old] = keyring.keys;
    let arrive: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    async function* slowly(): AsyncGenerator<Uint8Array> {
      const bytes = Buffer.from(stateText(1));
      yield bytes.subarray(0, 20);
      await held;
      yield bytes.subarray(20);
    }
    const writing = house.states.write(CALLER, ADDRESS, slowly(), {
      claim: { kind: 'none' },
      contentLength: null,
    });
    await new Promise((resolve) => setImmediate(resolve));

    const next = makeMasterKey(randomBytes(32));
    keyring.adopt([next, old]);
    await house.reseal();
    arrive();
    expect((await writing).type).toBe('stored');

    keyring.adopt([next]);
    const found = await house.states.read(CALLER, ADDRESS);
    expect(found.type).toBe('found');
    expect(found.type === 'found' && Buffer.from(found.bytes.plain() as Uint8Array).toString()).toBe(
      stateText(1),
    );
  });

  it('seals old versions, held locks, waiting places and credentials anew', async () => {
    const { house, keyring } = build();
    const [old] = keyring.keys;
    await house.credentials.create(CALLER, {
      name: 'ci',
      grants: [{ role: 'writer', pattern: 'acme/*' }],
      expiresAt: null,
    });
    const body = (async function* () {
      yield Buffer.from(stateText(1));
    })();
    await house.states.write(CALLER, ADDRESS, body, { claim: { kind: 'none' }, contentLength: null });
    for (const lockId of ['first', 'second', 'second']) {
      await house.locks.lock(CALLER, ADDRESS, {
        lockId,
        operation: 'OperationTypeApply',
        info: Buffer.from(`{"ID":"${lockId}"}`),
        tellsHoldersApart: true,
        alias: 'test',
        wait: null,
        gone: null,
      });
    }
    const next = makeMasterKey(randomBytes(32));
    keyring.adopt([next, old]);
    expect(await house.reseal()).toBe(4);
    keyring.adopt([next]);
    await house.credentials.refresh();
    const answer = await house.locks.show(CALLER, ADDRESS);
    const view = answer.type === 'shown' ? answer.lock : null;
    expect(Buffer.from(view?.holders[0]?.info ?? '').toString()).toBe('{"ID":"first"}');
    expect(Buffer.from(view?.line[0]?.info ?? '').toString()).toBe('{"ID":"second"}');
    expect((await house.states.read(CALLER, ADDRESS)).type).toBe('found');
    expect(await house.reseal()).toBe(0);
  });
});
