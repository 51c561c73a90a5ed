import { DATACENTER, NODE_NAME } from '../layout.ts';
import { jsonReply, type Answer, type DoorCall } from './call.ts';
import { refused } from './errors.ts';

/** What Consul's clients ask of the service itself: there is one server, in one datacenter. */
const LEADER = `${NODE_NAME}:8300`;

export function statusLeader(call: DoorCall): Promise<Answer> {
  return tell(call, LEADER);
}

export function statusPeers(call: DoorCall): Promise<Answer> {
  return tell(call, [LEADER]);
}

export function agentSelf(call: DoorCall): Promise<Answer> {
  const Config = { Datacenter: DATACENTER, PrimaryDatacenter: DATACENTER, NodeName: NODE_NAME, Server: true };
  return tell(call, { Config, Member: { Name: NODE_NAME, Addr: NODE_NAME, Port: 8301, Status: 1 } });
}

export function catalogDatacenters(call: DoorCall): Promise<Answer> {
  return tell(call, [DATACENTER]);
}

/** Whose the token is; its secret is not told again. */
export function aclTokenSelf(call: DoorCall): Promise<Answer> {
  const { subject } = call.caller.identity;
  return tell(call, { AccessorID: subject, Description: subject, Policies: [], Local: false });
}

async function tell(call: DoorCall, value: unknown): Promise<Answer> {
  const shut = call.house.gate.known(call.caller.identity);
  return shut === null ? jsonReply(call, value, 1) : refused(shut);
}
