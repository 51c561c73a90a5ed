import { isAddress, makeAddress, type Address } from '../../../core/address.ts';
import {
  SIGNAL_EVENTS,
  type Signal,
  type SignalEvent,
  type SignalledHandover,
} from '../../../ports/signals.ts';

/** Longer than any text that a node puts into a signal, in UTF-16 units. */
const TEXT_LENGTH_MAX = 1_024;
const FACTS_MAX = 16;
const FACT_NAME = /^[A-Za-z]{1,40}$/;
/** A seat is `node:number`. */
const WAITING_REQUEST = /^[\w-]{1,64}:\d{1,16}$/;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks a signal that came from elsewhere, field by field, against what a node can have said.
 * @param handoversMax the most hand-overs that one may carry
 * @returns the signal, without what does not belong into one; null when it is none
 */
export function readSignal(value: unknown, handoversMax: number): Signal | null {
  if (!isRecord(value)) return null;
  const { event, subject, door, handovers } = value;
  const address = readAddress(value['address']);
  const facts = readFacts(value['facts']);
  if (address === null || facts === null || !isText(subject) || !isText(door)) return null;
  if (event !== null && !isEvent(event)) return null;
  if (!Array.isArray(handovers) || handovers.length > handoversMax) return null;
  const read = handovers.map(readHandover).filter((handover) => handover !== null);
  if (read.length < handovers.length) return null;
  return { address, event, subject, door, facts, handovers: read };
}

function readAddress(value: unknown): Address | null {
  if (!isRecord(value)) return null;
  const { project, key, workspace } = value;
  if (!isText(project) || !isText(key) || !isText(workspace)) return null;
  const address = makeAddress(project, key, workspace);
  return isAddress(address) ? address : null;
}

function readFacts(value: unknown): Signal['facts'] | null {
  if (!isRecord(value)) return null;
  const facts = Object.entries(value);
  if (facts.length > FACTS_MAX) return null;
  const known = facts.filter((fact): fact is [string, string | number | boolean] => isFact(fact));
  return known.length === facts.length ? Object.fromEntries(known) : null;
}

function isFact([name, fact]: readonly [string, unknown]): boolean {
  return FACT_NAME.test(name) && (isText(fact) || typeof fact === 'boolean' || Number.isFinite(fact));
}

function readHandover(value: unknown): SignalledHandover | null {
  if (!isRecord(value)) return null;
  const { seat, lockId, subject, door, operation, fence } = value;
  if (!isText(seat) || !WAITING_REQUEST.test(seat)) return null;
  if (!isText(lockId) || !isText(subject) || !isText(door) || !isText(operation)) return null;
  if (typeof fence !== 'number' || !Number.isSafeInteger(fence) || fence < 1) return null;
  return { seat, lockId, subject, door, operation, fence };
}

function isEvent(value: unknown): value is SignalEvent {
  return (SIGNAL_EVENTS as readonly unknown[]).includes(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_LENGTH_MAX;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
