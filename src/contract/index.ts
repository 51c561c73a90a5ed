export { clientContract, stateText, type BackendUnderTest } from './client-contract.ts';
export { engineContract, type EngineOptions, type EngineUnderTest } from './engine-contract.ts';
export { engineModel } from './engine-model.ts';
export { ManualClock } from './manual-clock.ts';
