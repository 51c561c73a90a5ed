import type { Engine } from '../ports/engine.ts';
import type { Resealed } from '../ports/sealed-anew.ts';
import { ROW_KEY_CONTEXT } from '../ports/row-key.ts';
import type { Sealer } from '../ports/sealer.ts';
import { credentialContext } from './identity/known-credentials.ts';
import { LockInfos } from './locks/lock-infos.ts';

/** Sealed things that are sealed anew in one transaction. */
const PAGE = 500;

/**
 * Seals everything anew under the master key that seals now: data keys, secrets and lock infos, never the bodies
 * themselves. The house stays open meanwhile, since the former keys still open what has not had its turn.
 * @param progress told how many have been done so far
 * @returns how many were sealed anew
 */
export async function resealAll(
  { engine, sealer }: { engine: Engine; sealer: Sealer },
  progress: (done: number) => void = () => undefined,
): Promise<number> {
  let done = 0;
  const pass = async (): Promise<void> => {
    for (;;) {
      const items = await engine.sealedUnderOther(sealer.keyId, PAGE);
      if (items.length === 0) return;
      await engine.apply([{ type: 'reseal', items: items.map((item) => resealed(item, sealer)) }]);
      done += items.length;
      progress(done);
    }
  };
  await pass();
  // What was sealed just before the key was changed may have been on its way to the engine: it is there after this.
  await engine.apply([{ type: 'reseal', items: [] }]);
  await pass();
  return done;
}

function resealed(item: Resealed, sealer: Sealer): Resealed {
  switch (item.kind) {
    case 'body':
      return {
        ...item,
        keyId: sealer.keyId,
        wrappedKey: sealer.resealDataKey(item.wrappedKey, item.id),
        replaces: item.wrappedKey,
      };
    case 'credential':
      return { ...item, sealed: sealAnew(item.sealed, credentialContext(item.id), sealer) };
    case 'row-key':
      return { ...item, sealed: sealAnew(item.sealed, ROW_KEY_CONTEXT, sealer) };
    case 'holder':
    case 'place': {
      const lockInfos = new LockInfos(sealer);
      return { ...item, sealed: lockInfos.seal(item.address, lockInfos.open(item.address, item.sealed)) };
    }
  }
}

function sealAnew(sealed: Uint8Array, context: string, sealer: Sealer): Uint8Array {
  return sealer.seal(sealer.open(sealed, context), context);
}
