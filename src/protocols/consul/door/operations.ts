import type { Answer, DoorCall } from './call.ts';
import type { Operation } from './detect.ts';
import { acquireKey, deleteKey, getKey, putKey, releaseKey } from './keys.ts';
import { deleteTree, listKeys, listPairs } from './listing.ts';
import { agentSelf, aclTokenSelf, catalogDatacenters, statusLeader, statusPeers } from './service.ts';
import {
  createSession,
  destroySession,
  listSessions,
  renewSession,
  showSession,
} from './session-requests.ts';
import { runTxn } from './txn.ts';

/** The one table of this door. */
export const OPERATIONS: Readonly<Record<Operation, (call: DoorCall) => Promise<Answer>>> = {
  'kv.get': getKey,
  'kv.keys': listKeys,
  'kv.list': listPairs,
  'kv.put': putKey,
  'kv.acquire': acquireKey,
  'kv.release': releaseKey,
  'kv.delete': deleteKey,
  'kv.delete-tree': deleteTree,
  txn: runTxn,
  'session.create': createSession,
  'session.renew': renewSession,
  'session.destroy': destroySession,
  'session.info': showSession,
  'session.list': listSessions,
  'session.node': listSessions,
  'status.leader': statusLeader,
  'status.peers': statusPeers,
  'agent.self': agentSelf,
  'catalog.datacenters': catalogDatacenters,
  'acl.token.self': aclTokenSelf,
};
