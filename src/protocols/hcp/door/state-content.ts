import { parse } from 'lossless-json';
import type { Address } from '../../../core/address.ts';
import { TopLevelScanner } from '../../../core/top-level.ts';
import type { Version } from '../../../core/world.ts';
import type { DoorCall } from './call.ts';
import { refused, type HcpError } from './errors.ts';

/** States that are larger are not looked into: their clients download them. */
const LOOKED_INTO_BYTES_MAX: number = 32 * 1024 * 1024;
/** What one member may have, so that no request holds up the others. */
const MEMBER_BYTES_MAX: number = 4 * 1024 * 1024;

/** An output as a state has it; numbers keep their text. */
export interface StateOutput {
  readonly name: string;
  readonly value: unknown;
  /** The type as Terraform writes it: `"string"`, or `["object", {…}]`. */
  readonly type: unknown;
  readonly sensitive: boolean;
}

/** The outputs of a version of a state, and whether sensitive ones may be shown. @param number null for the newest */
export async function readOutputs(
  call: DoorCall,
  address: Address,
  number: number | null,
): Promise<
  { readonly version: Version; readonly outputs: readonly StateOutput[]; readonly reveal: boolean } | HcpError
> {
  const found = await whole(call, address, number);
  if ('title' in found) return found;
  const text = memberIn(found.bytes, 'outputs');
  if (text === TOO_LARGE) return refused({ type: 'too-large', limit: MEMBER_BYTES_MAX });
  const outputs = text === null ? {} : parse(text);
  return { version: found.version, outputs: outputsIn(outputs), reveal: found.reveal };
}

/** How many resources the newest state has, to be destroyed before it is deleted; null for more than can be counted. */
export async function managedResources(call: DoorCall, address: Address): Promise<number | null | HcpError> {
  const found = await whole(call, address, null);
  if ('title' in found) return found.code === 'absent' ? 0 : found;
  if (found.version.encrypted) return null;
  const text = memberIn(found.bytes, 'resources');
  if (text === TOO_LARGE) return null;
  if (text === null) return 0;
  const resources: unknown = parse(text);
  if (!Array.isArray(resources)) return 0;
  return resources.filter((resource) => isObject(resource) && resource['mode'] !== 'data').length;
}

async function whole(
  { house, caller }: DoorCall,
  address: Address,
  number: number | null,
): Promise<{ readonly version: Version; readonly bytes: Uint8Array; readonly reveal: boolean } | HcpError> {
  const answer = await house.states.readWhole(caller, address, {
    number,
    action: 'read-outputs',
    limit: LOOKED_INTO_BYTES_MAX,
  });
  return answer.type === 'whole' ? answer : refused(answer);
}

const TOO_LARGE = Symbol('too large');

/** The JSON text of a member; null where there is none. */
function memberIn(bytes: Uint8Array, name: string): string | typeof TOO_LARGE | null {
  const scanner = new TopLevelScanner([name]);
  scanner.push(bytes);
  const found = scanner.finish();
  if ('problem' in found) return null;
  const field = found.get(name);
  if (field === undefined) return null;
  if (field.end - field.start > MEMBER_BYTES_MAX) return TOO_LARGE;
  return Buffer.from(bytes.subarray(field.start, field.end)).toString('utf8');
}

function outputsIn(outputs: unknown): readonly StateOutput[] {
  if (!isObject(outputs)) return [];
  return Object.entries(outputs).flatMap(([name, output]) =>
    isObject(output)
      ? [
          {
            name,
            value: output['value'] ?? null,
            type: output['type'] ?? null,
            sensitive: output['sensitive'] === true,
          },
        ]
      : [],
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
