import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import { engineContract } from '../../src/contract/engine-contract.ts';

engineContract('memory', async ({ clock, keyIdOf }) => {
  const engine = new MemoryEngine(clock, keyIdOf);
  return { engine, dispose: () => engine[Symbol.asyncDispose]() };
});
