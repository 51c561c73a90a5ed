export { bodyStoreContract, type BodyStoreUnderTest } from './body-store-contract.ts';
export { clientContract, stateText, type BackendUnderTest } from './client-contract.ts';
export {
  allPairs,
  doorContract,
  doorMatrix,
  ringOfPairs,
  type DoorPair,
  type OpenHouseUnderTest,
} from './door-contract.ts';
export type {
  Done,
  DoorClient,
  DoorCredential,
  DoorTraits,
  DoorUnderTest,
  HouseUnderTest,
  LockReply,
  LookReply,
  ReadReply,
  Refused,
} from './door-contract-client.ts';
export { engineContract, type EngineOptions, type EngineUnderTest } from './engine-contract.ts';
export { engineModel } from './engine-model.ts';
export {
  checkHistory,
  type HistoryVerdict,
  type Operation,
  type SequentialModel,
} from './history-checker.ts';
export { ManualClock } from './manual-clock.ts';
