import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { Command } from '../../src/ports/engine.ts';
import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { parsePostgresUrl } from '../../src/engines/postgres/session/options.ts';
import { PostgresProxy, type Verdict, type WireMessage } from '../support/postgres-proxy.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';

const programs = await findPostgres();
const ACTOR = { subject: 'token:a', door: 'http' };

describe.skipIf(programs === null)('a connection that breaks (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  let proxy: PostgresProxy;
  let engine: PostgresEngine;
  let count = 0;

  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
    proxy = await PostgresProxy.start(server.port);
    const url = server.url(await server.createDatabase(), proxy.port);
    engine = await PostgresEngine.open(parsePostgresUrl(`${url}?pool=2`), { keyIdOf: () => 'k' });
  });
  afterEach(() => {
    proxy.judge = () => 'pass';
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** A write to a new address, so that it must say "stored" and make version 1. */
  function newWrite(): { address: Address; command: Command } {
    const address = { project: 'acme', key: `state-${++count}`, workspace: 'default' };
    const body = {
      id: `body-${count}`,
      keyId: 'k',
      wrappedKey: new Uint8Array([1]),
      segments: [new Uint8Array([2])],
    };
    return {
      address,
      command: {
        type: 'write',
        address,
        actor: ACTOR,
        claim: { kind: 'none' },
        serial: 1n,
        lineage: 'l',
        terraformVersion: '1.11.4',
        encrypted: false,
        size: 1,
        sha256: `${count}`,
        md5: `${count}`,
        body,
        restore: null,
      },
    };
  }

  /** How many messages a write takes on a connection that is open already, so that each border can be tried. */
  async function countMessages(): Promise<number> {
    let messages = 0;
    proxy.judge = () => {
      messages += 1;
      return 'pass';
    };
    await engine.apply([newWrite().command]);
    return messages;
  }

  it.each(['cut', 'last'] as const)(
    'loses no write and makes none twice, whichever message is the last (%s)',
    async (verdict: Verdict) => {
      const messages = await countMessages();
      expect(messages).toBeGreaterThan(20);
      for (let at = 1; at <= messages; at += 1) {
        let seen = 0;
        proxy.judge = () => (++seen === at ? verdict : 'pass');
        const { address, command } = newWrite();
        const [result] = await engine.apply([command]);
        expect(result?.outcome).toMatchObject({ type: 'stored', repeat: false, version: { number: 1 } });
        expect(await engine.versions(address, { limit: 9 })).toHaveLength(1);
      }
    },
    120_000,
  );

  it('asks what became of a COMMIT that was never answered, and says so', async () => {
    const isCommitDone = ({ direction, type, text }: WireMessage): boolean =>
      direction === 'to-client' && type === 'C' && text.startsWith('COMMIT');
    let cuts = 0;
    proxy.judge = (message) => (isCommitDone(message) && cuts++ === 0 ? 'cut' : 'pass');
    const { address, command } = newWrite();
    const [result] = await engine.apply([command]);
    expect(cuts).toBeGreaterThan(0);
    expect(result?.outcome).toMatchObject({ type: 'stored', repeat: false });
    expect(await engine.versions(address, { limit: 9 })).toHaveLength(1);
  });

  it('is answered with a fault, and not with a guess, while the database is away', async () => {
    proxy.refuses = true;
    proxy.sever();
    const { address, command } = newWrite();
    await expect(engine.apply([command])).rejects.toMatchObject({ name: 'EngineFault', busy: true });
    await expect(engine.world(address)).rejects.toMatchObject({ name: 'EngineFault' });
    proxy.refuses = false;
    expect((await engine.world(address)).record.head).toBeNull();
    const [result] = await engine.apply([command]);
    expect(result?.outcome).toMatchObject({ type: 'stored', repeat: false });
  });

  it('comes back by itself after the server was restarted', async () => {
    const { command } = newWrite();
    const restart = server.restart('immediate');
    const [result] = await engine.apply([command]);
    await restart;
    expect(result?.outcome).toMatchObject({ type: 'stored' });
  });
});
