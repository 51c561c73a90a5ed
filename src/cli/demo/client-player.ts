import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpClient } from '../../protocols/http/client/client.ts';
import { readHttpConfig } from '../../protocols/http/client/config.ts';
import { pathOf } from '../../protocols/http/layout.ts';
import { makeLockRequest } from '../../protocols/lock-request.ts';
import { BackendFault, type HeldLock } from '../../ports/state-client.ts';
import type { Pair } from '../server/connection.ts';
import type { Apply, ApplyEnd, ApplyPlan, Player, Thing } from './player.ts';
import { ADDRESS } from './stage.ts';

const DEFAULT = 'default';
const WAIT_MS = 60_000;

/** A colleague without terraform: our own client makes the very calls that `terraform apply` makes. */
export class ClientPlayer implements Player {
  readonly name: string;
  readonly #client: HttpClient;
  readonly #directory: string;
  readonly #stop = new AbortController();

  constructor(name: string, options: { directory: string; url: string; credential: Pair }) {
    this.name = name;
    this.#directory = options.directory;
    const address = `${options.url}${pathOf(ADDRESS)}`;
    const { id, secret } = options.credential;
    const attributes = {
      address,
      lock_address: address,
      unlock_address: address,
      username: id,
      password: secret,
    };
    this.#client = new HttpClient(readHttpConfig(attributes, {}));
  }

  apply(plan: ApplyPlan): Apply {
    const [atWork, begin] = gate();
    const [mayEnd, carryOn] = gate();
    const [killed, kill] = gate();
    const end = Promise.race([
      this.#apply(plan, begin, mayEnd),
      killed.then((): ApplyEnd => ({ type: 'killed' })),
    ]);
    void end.then(begin, begin);
    return { atWork, end, carryOn, kill };
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#client.close();
  }

  async #apply({ changes, lock }: ApplyPlan, begin: () => void, mayEnd: Promise<void>): Promise<ApplyEnd> {
    let held: HeldLock | null = null;
    if (lock !== 'none') {
      const request = {
        ...makeLockRequest('OperationTypeApply', '0.0.0'),
        who: `${this.name.toLowerCase()}@demo`,
      };
      const wait = { milliseconds: lock === 'wait' ? WAIT_MS : 0, signal: this.#stop.signal };
      const attempt = await this.#client.lock(DEFAULT, request, wait);
      if (attempt.type === 'held')
        return { type: 'lock-refused', words: `it is held by ${attempt.holder?.who ?? 'someone'}` };
      if (attempt.type !== 'locked') return { type: 'failed', words: attempt.message };
      held = attempt.lock;
    }
    const before = stateIn(await this.#client.read(DEFAULT));
    begin();
    await mayEnd;
    const after = changed(before, changes);
    try {
      await this.#client.write(DEFAULT, after, held);
      return { type: 'done' };
    } catch (fault) {
      if (!(fault instanceof BackendFault)) throw fault;
      if (fault.kind !== 'refused') return { type: 'failed', words: fault.message };
      const keptIn = join(this.#directory, `${this.name.toLowerCase()}-errored.tfstate`);
      writeFileSync(keptIn, after);
      const [words = ''] = fault.message.split('. ');
      return { type: 'write-refused', words, keptIn };
    } finally {
      await held?.release();
    }
  }
}

/** As much of a state as the demo needs. */
interface SmallState {
  readonly serial: number;
  readonly lineage: string;
  readonly values: Readonly<Partial<Record<Thing, number>>>;
}

function stateIn(bytes: Uint8Array | null): SmallState {
  if (bytes === null) return { serial: 0, lineage: randomUUID(), values: {} };
  const { serial, lineage, resources } = JSON.parse(Buffer.from(bytes).toString()) as {
    serial: number;
    lineage: string;
    resources: readonly { name: Thing; instances: readonly { attributes: { input: { value: number } } }[] }[];
  };
  const values = resources.map(({ name, instances }) => [name, instances[0]?.attributes.input.value]);
  return { serial, lineage, values: Object.fromEntries(values) };
}

/** The next state, as terraform would print it. */
function changed({ serial, lineage, values }: SmallState, changes: ApplyPlan['changes']): Uint8Array {
  const next = { ...values, ...Object.fromEntries(changes.map(({ thing, to }) => [thing, to])) };
  const state = {
    version: 4,
    terraform_version: '1.0.0',
    serial: serial + 1,
    lineage,
    outputs: {},
    resources: Object.entries(next).map(([name, value]) => ({
      mode: 'managed',
      type: 'terraform_data',
      name,
      provider: 'provider["terraform.io/builtin/terraform"]',
      instances: [{ schema_version: 0, attributes: { input: { value, type: 'number' } } }],
    })),
    check_results: null,
  };
  return Buffer.from(`${JSON.stringify(state, null, 2)}\n`);
}

/** A promise, and what resolves it. */
function gate(): [promise: Promise<void>, open: () => void] {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [promise, () => open()];
}
