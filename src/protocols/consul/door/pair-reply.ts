import type { DoorReply } from '../../door.ts';
import { readHeaders, type DoorCall } from './call.ts';
import { pairsJson, type Pair } from './pairs.ts';

/** One key: as JSON, or its bytes alone with `?raw`. */
export function pairReply({ asked, request }: DoorCall, pair: Pair, index: number): DoorReply {
  const isRaw = asked.query.has('raw');
  const body = isRaw ? (pair.value ?? new Uint8Array()) : pairsJson([pair]);
  return {
    operation: asked.operation,
    status: 200,
    headers: {
      'content-type': isRaw ? 'application/octet-stream' : 'application/json',
      ...readHeaders(index),
    },
    body: request.method === 'HEAD' ? null : body,
  };
}
