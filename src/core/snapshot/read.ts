import type { StateHeader } from '../state-header.ts';
import { isStateHeader, readStateHeader } from '../state-header.ts';
import { instanceAddress } from './address.ts';
import type { Json, JsonObject } from './json.ts';
import { isJsonArray, isJsonNumber, isJsonObject, member, parseJson } from './json.ts';
import type { Masked } from './masked.ts';
import { Secret, hasSecret } from './masked.ts';
import { Secrets, markAttributes } from './sensitive.ts';
import type {
  Attribute,
  Check,
  EncryptedSnapshot,
  Instance,
  Output,
  Snapshot,
  SnapshotProblem,
} from './snapshot.ts';

/** A larger state cannot be taken apart in memory; as bytes it can still be kept. */
const SNAPSHOT_BYTES_MAX: number = 256 * 1024 * 1024;

/**
 * Reads what a state says. The bytes are only read: a snapshot is for showing and comparing, never for writing back.
 * Secrets are masked: outputs and attributes that the state lists as sensitive, attributes whose name gives them away,
 * and every copy of such a value elsewhere in the state.
 */
export function readSnapshot(bytes: Uint8Array): Snapshot | EncryptedSnapshot | SnapshotProblem {
  if (bytes.length > SNAPSHOT_BYTES_MAX) {
    return { problem: `a state of more than ${SNAPSHOT_BYTES_MAX} bytes is not read, only kept` };
  }
  const header = readStateHeader(bytes);
  if (!isStateHeader(header)) return header;
  if (header.encrypted) return { type: 'encrypted', serial: header.serial, lineage: header.lineage };
  const state = parseJson(new TextDecoder().decode(bytes));
  if (!isJsonObject(state)) return { problem: 'the state is not JSON' };
  try {
    return readState(state, header);
  } catch (fault) {
    if (fault instanceof Malformed) return { problem: fault.message };
    throw fault;
  }
}

/** What a state has where something else belongs; never leaves this module. */
class Malformed extends Error {}

function readState(state: JsonObject, header: StateHeader): Snapshot {
  const outputs = readOutputs(member(state, 'outputs'));
  const instances = listOf(member(state, 'resources'), 'resources').flatMap(readResource);
  const secrets = new Secrets();
  for (const { content } of outputs) secrets.add(content);
  for (const { attributes } of instances) for (const { content } of attributes) secrets.add(content);
  const maskCopies = <T extends { readonly content: Masked }>(value: T): T => {
    const content = secrets.mask(value.content);
    return { ...value, content, sensitive: hasSecret(content) };
  };
  return {
    type: 'snapshot',
    serial: header.serial,
    lineage: header.lineage,
    terraformVersion: header.terraformVersion,
    outputs: outputs.map(maskCopies),
    instances: instances.map((instance) => ({
      ...instance,
      attributes: instance.attributes.map(maskCopies),
    })),
    checks: readChecks(member(state, 'check_results')),
  };
}

function readOutputs(outputs: Json | undefined): readonly Output[] {
  return Object.entries(objectOf(outputs ?? {}, 'outputs'))
    .map(([name, raw]): Output => {
      const output = objectOf(raw, `outputs.${name}`);
      const value = member(output, 'value') ?? null;
      const sensitive = member(output, 'sensitive') === true;
      return {
        name,
        valueType: member(output, 'type') ?? 'dynamic',
        content: sensitive ? new Secret(value) : value,
        sensitive,
      };
    })
    .sort((a, b) => compareText(a.name, b.name));
}

function readResource(raw: Json, index: number): readonly Instance[] {
  const where = `resources[${index}]`;
  const resource = objectOf(raw, where);
  const mode = textOf(member(resource, 'mode'), `${where}.mode`);
  if (mode !== 'managed' && mode !== 'data') throw new Malformed(`the state's ${where}.mode is "${mode}"`);
  const shared = {
    mode,
    module: textOf(member(resource, 'module') ?? '', `${where}.module`),
    resourceType: textOf(member(resource, 'type'), `${where}.type`),
    name: textOf(member(resource, 'name'), `${where}.name`),
  } as const;
  const provider = textOf(member(resource, 'provider') ?? '', `${where}.provider`);
  return listOf(member(resource, 'instances'), `${where}.instances`).map((item, at): Instance => {
    const place = `${where}.instances[${at}]`;
    const instance = objectOf(item, place);
    const dependencies = listOf(member(instance, 'dependencies'), `${place}.dependencies`);
    const schemaVersion = member(instance, 'schema_version');
    const deposed = member(instance, 'deposed');
    const secret = member(instance, 'private');
    return {
      ...shared,
      address: instanceAddress(shared, member(instance, 'index_key')),
      // OpenTofu's provider iteration names the provider at each instance.
      provider: textOf(member(instance, 'provider') ?? provider, `${place}.provider`),
      schemaVersion: isJsonNumber(schemaVersion) ? schemaVersion.value : '0',
      tainted: member(instance, 'status') === 'tainted',
      deposed: typeof deposed === 'string' ? deposed : null,
      dependencies: dependencies.map((name) => textOf(name, `${place}.dependencies`)),
      attributes: readAttributes(instance, place),
      private: typeof secret === 'string' ? secret : null,
    };
  });
}

function readAttributes(instance: JsonObject, place: string): readonly Attribute[] {
  const raw = member(instance, 'attributes') ?? member(instance, 'attributes_flat') ?? {};
  const attributes = objectOf(raw, `${place}.attributes`);
  return Object.entries(markAttributes(attributes, member(instance, 'sensitive_attributes'))).map(
    ([name, content]) => ({ name, content, sensitive: hasSecret(content) }),
  );
}

function readChecks(raw: Json | undefined): readonly Check[] {
  const checks = listOf(raw, 'check_results').flatMap((item, index): readonly Check[] => {
    const check = objectOf(item, `check_results[${index}]`);
    const kind = asText(member(check, 'object_kind'));
    const objects = listOf(member(check, 'objects'), `check_results[${index}].objects`);
    if (objects.length === 0) {
      const address = asText(member(check, 'config_addr'));
      return [{ kind, address, status: asText(member(check, 'status')), messages: [] }];
    }
    return objects.map((entry) => {
      const object = objectOf(entry, `check_results[${index}].objects`);
      const messages = listOf(member(object, 'failure_messages'), 'failure_messages').map(asText);
      return {
        kind,
        address: asText(member(object, 'object_addr')),
        status: asText(member(object, 'status')),
        messages,
      };
    });
  });
  return checks.sort((a, b) => compareText(`${a.kind} ${a.address}`, `${b.kind} ${b.address}`));
}

function listOf(value: Json | undefined, where: string): readonly Json[] {
  if (value === undefined || value === null) return [];
  if (!isJsonArray(value)) throw new Malformed(`the state's ${where} is not a list`);
  return value;
}

function objectOf(value: Json | undefined, where: string): JsonObject {
  if (!isJsonObject(value)) throw new Malformed(`the state's ${where} is not an object`);
  return value;
}

function textOf(value: Json | undefined, where: string): string {
  if (typeof value !== 'string') throw new Malformed(`the state's ${where} is not a string`);
  return value;
}

function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
