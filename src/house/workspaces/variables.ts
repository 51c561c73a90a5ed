import { z } from 'zod';
import { formatAddress, type Address } from '../../core/address.ts';
import type { SealedBody } from '../../core/command.ts';
import type { Instant } from '../../core/instant.ts';
import { EngineFault, type Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { VARIABLE_KIND } from '../records/kinds.ts';
import type { NamedRecord, Records } from '../records/records.ts';
import { BodyPacker, openSegments } from '../states/segments.ts';

export const VARIABLE_CATEGORIES = ['terraform', 'env'] as const;
export type VariableCategory = (typeof VARIABLE_CATEGORIES)[number];

/** Variables of one workspace, and of all. */
const OF_ONE_MAX = 500;
const VARIABLES_MAX = 20_000;
/** Bytes of one value. */
export const VARIABLE_BYTES_MAX: number = 256 * 1024;

/** A variable of a workspace, under `address id`. Its value is sealed, in the body beside it. */
export interface StoredVariable {
  readonly key: string;
  readonly category: VariableCategory;
  /** The value is an expression of Terraform's language, and no text. */
  readonly hcl: boolean;
  /** Once written, its value is shown to nobody. */
  readonly sensitive: boolean;
  readonly description: string;
  readonly createdAt: Instant;
}

export const VARIABLES: RecordDefinition<StoredVariable> = defineRecords<StoredVariable>(
  VARIABLE_KIND,
  z.object({
    key: z.string(),
    category: z.enum(VARIABLE_CATEGORIES),
    hcl: z.boolean(),
    sensitive: z.boolean(),
    description: z.string(),
    createdAt: z.number(),
  }),
);

export interface Variable extends StoredVariable {
  readonly id: string;
  /** null for a sensitive one. */
  readonly value: string | null;
  /** Another one after each change. */
  readonly version: string;
}

/** What is set of a variable. */
export type VariableChange = Partial<Omit<StoredVariable, 'createdAt'>> & { readonly value?: string };

export type SetVariableAnswer =
  | { readonly type: 'set'; readonly variable: Variable }
  | { readonly type: 'absent' }
  | { readonly type: 'invalid'; readonly problem: string }
  | { readonly type: 'full'; readonly limit: number }
  | Shut;

/** What runs of a workspace are given: values that are sensitive are written, and never told again. */
export class Variables {
  readonly #engine: Engine;
  readonly #entropy: Entropy;
  readonly #sealer: Sealer;
  readonly #gate: Gate;
  readonly #records: Records<StoredVariable>;

  constructor(options: {
    engine: Engine;
    entropy: Entropy;
    sealer: Sealer;
    gate: Gate;
    records: Records<StoredVariable>;
  }) {
    this.#engine = options.engine;
    this.#entropy = options.entropy;
    this.#sealer = options.sealer;
    this.#gate = options.gate;
    this.#records = options.records;
  }

  /** Those of a workspace, by key. */
  async list(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'variables'; readonly variables: readonly Variable[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', address);
    return refusal ?? { type: 'variables', variables: await this.shown(address) };
  }

  /** The same, for a part of the house that has asked what the caller may: no value of a sensitive one is among them. */
  async shown(address: Address): Promise<readonly Variable[]> {
    const variables: Variable[] = [];
    for (const named of await this.#of(address)) variables.push(await this.#shown(address, named));
    return variables.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Those of a workspace with all their values, for its runs alone: no caller gets them. */
  async ofRuns(address: Address): Promise<readonly (StoredVariable & { readonly value: string })[]> {
    const own = await this.#of(address);
    return Promise.all(
      own.map(async ({ record, bodyId }) => ({ ...record, value: await this.#open(bodyId) })),
    );
  }

  /** Makes a variable, or changes the one of an ID. @param id null to make one */
  async set(
    caller: Caller,
    address: Address,
    id: string | null,
    change: VariableChange,
  ): Promise<SetVariableAnswer> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const own = await this.#of(address);
    const before = id === null ? null : own.find(({ name }) => name === nameOf(address, id));
    if (before === undefined) return { type: 'absent' };
    if (before === null && own.length >= OF_ONE_MAX) return { type: 'full', limit: OF_ONE_MAX };
    if (before === null && (await this.#records.known()).length >= VARIABLES_MAX)
      return { type: 'full', limit: VARIABLES_MAX };
    const value = change.value ?? (before === null ? '' : await this.#open(before.bodyId));
    const { value: _value, ...attributes } = change;
    const record: StoredVariable = {
      key: '',
      category: 'terraform',
      hcl: false,
      sensitive: false,
      description: '',
      createdAt: await this.#engine.now(),
      ...before?.record,
      ...attributes,
    };
    const others = own.filter((one) => one !== before);
    const problem = problemOf(record, value, before?.record ?? null, others);
    if (problem !== null) return { type: 'invalid', problem };
    const made = id ?? `var-${this.#entropy.uuid().replaceAll('-', '').slice(0, 16)}`;
    const body = this.#seal(value);
    await this.#records.put(caller, nameOf(address, made), record, body);
    return {
      type: 'set',
      variable: { ...record, id: made, value: record.sensitive ? null : value, version: body.id },
    };
  }

  async remove(
    caller: Caller,
    address: Address,
    id: string,
  ): Promise<{ readonly type: 'removed' } | { readonly type: 'absent' } | Shut> {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const name = nameOf(address, id);
    if ((await this.#records.one(name)) === null) return { type: 'absent' };
    await this.#records.drop(caller, name);
    return { type: 'removed' };
  }

  /** Forgets those of a workspace that is deleted. */
  async forget(caller: Caller, address: Address): Promise<{ readonly type: 'forgotten' } | Shut> {
    const refusal = await this.#gate.on(caller, 'delete', address);
    if (refusal !== null) return refusal;
    const names = (await this.#of(address)).map(({ name }) => name);
    if (names.length > 0) await this.#records.drop(caller, ...names);
    return { type: 'forgotten' };
  }

  async #of(address: Address): Promise<readonly NamedRecord<StoredVariable>[]> {
    const prefix = nameOf(address, '');
    return (await this.#records.list()).filter(({ name }) => name.startsWith(prefix));
  }

  async #shown(address: Address, { name, record, bodyId }: NamedRecord<StoredVariable>): Promise<Variable> {
    const id = name.slice(nameOf(address, '').length);
    const value = record.sensitive ? null : await this.#open(bodyId);
    return { ...record, id, value, version: bodyId ?? '' };
  }

  #seal(value: string): SealedBody {
    const packer = new BodyPacker(this.#entropy.uuid(), this.#sealer);
    packer.push(Buffer.from(value));
    return packer.finish();
  }

  async #open(bodyId: string | null): Promise<string> {
    const stored = bodyId === null ? null : await this.#engine.body(bodyId);
    if (stored === null)
      throw new EngineFault('the value of a variable is not there: it was changed just now, or is damaged');
    const pieces: Uint8Array[] = [];
    const again = (id: string): ReturnType<Engine['body']> => this.#engine.body(id);
    for await (const piece of openSegments(stored, this.#sealer, again)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }
}

/** An address in text form has spaces only where its key has some, and an ID has none. */
function nameOf(address: Address, id: string): string {
  return `${formatAddress(address)}\n${id}`;
}

/** As HCP takes them: whether it is a name to terraform or to a shell, those say. */
const KEY = /^[\p{L}\p{N}_.-]+$/u;
const KEY_LENGTH_MAX = 255;
const DESCRIPTION_LENGTH_MAX = 512;

function problemOf(
  { key, category, hcl, sensitive, description }: StoredVariable,
  value: string,
  before: StoredVariable | null,
  others: readonly NamedRecord<StoredVariable>[],
): string | null {
  if (!KEY.test(key) || key.length > KEY_LENGTH_MAX)
    return `invalid key: expected the name of a variable, of at most ${KEY_LENGTH_MAX} characters`;
  if (others.some(({ record }) => record.key === key && record.category === category))
    return 'Key has already been taken';
  if (Buffer.byteLength(value) > VARIABLE_BYTES_MAX)
    return `the value is too large: expected at most ${VARIABLE_BYTES_MAX} bytes`;
  if (value.includes('\0')) return 'the value has a zero byte, which no environment can have';
  if (category === 'env' && hcl) return 'an environment variable is a text: expected hcl to be false';
  if (description.length > DESCRIPTION_LENGTH_MAX)
    return `a description has at most ${DESCRIPTION_LENGTH_MAX} characters`;
  if (before?.sensitive !== true) return null;
  if (!sensitive) return 'a sensitive variable stays sensitive: delete it, and make another one';
  return before.key === key
    ? null
    : 'the key of a sensitive variable cannot be changed: delete it, and make another one';
}
