import type { Engine } from '../../src/ports/engine.ts';
import type { EngineUnderTest } from '../../src/contract/engine-contract.ts';

/** An engine that is closed and opened again on what it has kept, as often as a test likes. */
export async function reopenable(
  open: () => Promise<Engine>,
  remove: () => Promise<void>,
): Promise<EngineUnderTest> {
  const engine = await open();
  let current = engine;
  return {
    engine,
    reopen: async () => {
      await current[Symbol.asyncDispose]();
      current = await open();
      return current;
    },
    dispose: async () => {
      await current[Symbol.asyncDispose]();
      await remove();
    },
  };
}
