export { engineContract, type EngineOptions, type EngineUnderTest } from './engine-contract.ts';
export { ManualClock } from './manual-clock.ts';
