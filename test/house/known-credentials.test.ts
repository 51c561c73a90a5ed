import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import type { Credential } from '../../src/core/credential.ts';
import { KnownCredentials } from '../../src/house/identity/known-credentials.ts';

function credential(id: string): Credential {
  return {
    id,
    name: id.toLowerCase(),
    grants: [],
    sealedSecret: Buffer.from(id),
    createdAt: 0,
    expiresAt: null,
    revokedAt: null,
  };
}

/** What one node knows of a database that others write as well. */
function node({ took = 0 } = {}): {
  clock: ManualClock;
  stored: Credential[];
  known: KnownCredentials;
  reads: () => number;
} {
  const clock = new ManualClock();
  const stored = [credential('SHFIRST')];
  let reads = 0;
  const engine = {
    traits: { name: 'shared', shared: true },
    credentials: async () => {
      reads += 1;
      clock.advance(took);
      return [...stored];
    },
  };
  const sealer = { open: () => Buffer.from('secret') };
  return {
    clock,
    stored,
    known: new KnownCredentials({ engine, sealer, clock, grace: 0 }),
    reads: () => reads,
  };
}

describe('the credentials that a node knows', () => {
  it('have among them one that another node has made just now', async () => {
    const { clock, stored, known } = node();
    expect(await known.find('SHNEW')).toBeNull();
    stored.push(credential('SHNEW'));
    clock.advance(300);
    expect(await known.find('SHNEW')).toMatchObject({ secret: 'secret' });
  });

  it('are read four times a second at the most, however many unknown ids are asked for', async () => {
    const { clock, known, reads } = node();
    await known.find('SHFIRST');
    const before = reads();
    for (let tenth = 0; tenth < 20; tenth += 1) {
      clock.advance(100);
      await Promise.all(Array.from({ length: 100 }, (_, n) => known.find(`SHGUESS${n}`)));
    }
    expect(reads() - before).toBeLessThanOrEqual(8);
  });

  it('are read a tenth of the time at the most for ids that are unknown, however many there are to read', async () => {
    const { clock, known, reads } = node({ took: 100 });
    await known.find('SHFIRST');
    const before = reads();
    for (let tenth = 0; tenth < 19; tenth += 1) {
      clock.advance(100);
      await known.find('SHGUESS');
    }
    expect(reads() - before).toBe(1);
  });
});
