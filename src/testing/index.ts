export { engineContract, type EngineOptions, type EngineUnderTest } from './engine-contract.ts';
export { engineModel } from './engine-model.ts';
export { ManualClock } from './manual-clock.ts';
