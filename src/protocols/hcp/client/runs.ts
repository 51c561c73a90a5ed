import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault, type ServedState } from '../../../ports/state-client.ts';
import type { BackendChoice } from '../../backend.ts';
import { fieldOf, parseJson, textOf } from '../../wire/json-value.ts';
import { API_PREFIX, workspaceName } from '../layout.ts';
import { readHcpConfig, type HcpConfig } from './config.ts';
import { errorsIn, HcpRequests, refusal, type HcpReply } from './request.ts';
import { Workspaces, type FoundWorkspace } from './workspaces.ts';

/** What a run is to do, by the words of terraform's command line. */
export interface RunOrder {
  readonly message: string;
  readonly destroy: boolean;
  readonly refresh: boolean;
  readonly refreshOnly: boolean;
  readonly targets: readonly string[];
  readonly replaces: readonly string[];
  /** Values as Terraform's language writes them. */
  readonly variables: readonly { readonly key: string; readonly value: string }[];
  readonly autoApply: boolean;
  /** Plans alone, and may be applied later. */
  readonly saves: boolean;
  /** null for the newest that the server has. */
  readonly version: string | null;
  readonly program: 'terraform' | 'tofu';
}

/** A run as it was when it was asked. */
export interface SeenRun {
  readonly id: string;
  readonly status: string;
  readonly hasChanges: boolean;
  readonly isConfirmable: boolean;
  /** Where it stands among those that are to be executed first; 0 where it waits for none. */
  readonly place: number;
}

/** In these a run is over. */
const OVER: ReadonlySet<string> = new Set([
  'applied',
  'planned_and_finished',
  'planned_and_saved',
  'errored',
  'canceled',
  'force_canceled',
  'discarded',
]);
/** An uploaded configuration is looked at for so long. */
const UPLOAD_LOOK_MS = 500;
const UPLOAD_LOOKS_MAX = 60;
/** How soon a log is asked for again that had nothing new; a server that holds the request open needs no pause. */
const LOG_PAUSE_MS = 500;
const HELD_OPEN_MS = 1_000;
const LOG_BYTES = 1_048_576;
const [LOG_BEGINS, LOG_ENDS] = [0x02, 0x03];

/** Whether a run has come to its end. */
export function isOver({ status }: SeenRun): boolean {
  return OVER.has(status);
}

/**
 * Opens the runs of a folder's workspace: those of the server that its block names, or of the Statehouse server that keeps its state.
 * @param served what the folder's own client knows of a Statehouse server; null where it knows none
 */
export async function openRuns(
  { type, attributes, env }: BackendChoice,
  workspace: string,
  served: ServedState | null,
): Promise<HcpRuns> {
  const isBlock = type === 'cloud' || type === 'remote';
  if (!isBlock && served === null) {
    throw new BackendFault(
      'configuration',
      `the ${type} backend reaches no server that executes runs`,
      'Runs need a cloud block, backend "remote", or a Statehouse server behind another backend.',
    );
  }
  const config =
    isBlock || served === null
      ? await readHcpConfig(type === 'remote' ? type : 'cloud', attributes, env)
      : configOf(served);
  return new HcpRuns(config, isBlock ? workspace : 'default', type === 'cloud');
}

function configOf({ url, address, credential, ca, insecure }: ServedState): HcpConfig {
  return {
    block: 'cloud',
    hostname: new URL(url).host,
    organization: address.project,
    workspaces: { by: 'name', name: workspaceName(address) },
    project: null,
    token: credential === null ? null : `${credential.id}.${credential.secret}`,
    api: `${url}${API_PREFIX}`,
    ca,
    insecure,
  };
}

/** The runs of one workspace, by the API of HCP. */
export class HcpRuns {
  readonly #requests: HcpRequests;
  readonly #workspaces: Workspaces;
  readonly #workspace: string;
  readonly #isOfCloudBlock: boolean;
  /** What a saved plan names its server by. */
  readonly hostname: string;

  /** @param isOfCloudBlock whether the folder has a `cloud` block, which says what `terraform.workspace` is */
  constructor(config: HcpConfig, workspace: string, isOfCloudBlock = false) {
    this.hostname = config.hostname;
    this.#requests = new HcpRequests(config);
    this.#workspaces = new Workspaces(config, this.#requests);
    this.#workspace = workspace;
    this.#isOfCloudBlock = isOfCloudBlock;
  }

  /** @throws BackendFault where its runs are not executed by the server */
  async workspace(): Promise<FoundWorkspace & { readonly directory: string }> {
    const found = await this.#workspaces.ensure(this.#workspace);
    if (textOf(found.attributes, 'execution-mode') === 'local') {
      throw new BackendFault(
        'configuration',
        `the server executes no runs of ${this.#workspaces.nameOf(this.#workspace)}: its execution mode is local`,
        'A Statehouse server executes runs with --runs. Or run terraform here.',
      );
    }
    return { ...found, directory: textOf(found.attributes, 'working-directory') ?? '' };
  }

  /** Uploads a configuration. @param use what its run is to be: a plan alone, a plan that may be applied later, or an apply @returns its ID */
  async upload(
    { id }: FoundWorkspace,
    archive: Uint8Array,
    use: 'plan' | 'saved' | 'apply',
  ): Promise<string> {
    const reply = await this.#post(`workspaces/${id}/configuration-versions`, {
      type: 'configuration-versions',
      attributes: { 'auto-queue-runs': false, provisional: use === 'saved', speculative: use === 'plan' },
    });
    if (reply.status !== 201) throw refusal(reply, 'take a configuration');
    const data = fieldOf(parseJson(reply.body), 'data');
    const [version, place] = [textOf(data, 'id'), textOf(fieldOf(data, 'attributes'), 'upload-url')];
    if (version === null || place === null)
      throw new BackendFault('other', 'the server does not tell where a configuration is uploaded to');
    const path = new URL(place, await this.#requests.api());
    const taken = await this.#requests.send({ method: 'PUT', path, bytes: archive, withToken: false });
    if (taken.status < 200 || taken.status > 299) throw refusal(taken, 'take the configuration');
    for (let looks = 0; looks < UPLOAD_LOOKS_MAX; looks += 1) {
      const seen = await this.#get(`configuration-versions/${version}`, 'look at the configuration');
      const attributes = fieldOf(fieldOf(parseJson(seen.body), 'data'), 'attributes');
      const status = textOf(attributes, 'status');
      if (status === 'uploaded') return version;
      if (status === 'errored') {
        const why = textOf(attributes, 'error-message') ?? 'the server does not say why';
        throw new BackendFault('refused', `the configuration was not taken: ${why}`);
      }
      await sleep(UPLOAD_LOOK_MS);
    }
    throw new BackendFault('other', 'the server does not come to an end with the configuration');
  }

  /** Makes a run of a configuration. Made twice, it is the same one. */
  async create({ id }: FoundWorkspace, configuration: string, order: RunOrder): Promise<SeenRun> {
    const document = {
      type: 'runs',
      attributes: {
        message: order.message,
        'is-destroy': order.destroy,
        refresh: order.refresh,
        'refresh-only': order.refreshOnly,
        'auto-apply': order.autoApply,
        'save-plan': order.saves,
        'target-addrs': order.targets,
        'replace-addrs': order.replaces,
        variables: order.variables,
        'cloud-block': this.#isOfCloudBlock,
        ...(order.version === null ? {} : { 'terraform-version': order.version }),
      },
      relationships: {
        'configuration-version': { data: { type: 'configuration-versions', id: configuration } },
        workspace: { data: { type: 'workspaces', id } },
      },
    };
    const reply = await this.#post('runs', document, order.program);
    if (reply.status !== 201) throw refusal(reply, 'make the run');
    return seen(reply);
  }

  /** A run whose plan was saved. @throws BackendFault where it is another workspace's */
  async saved({ id: workspace }: FoundWorkspace, id: string): Promise<SeenRun> {
    const reply = await this.#get(`runs/${id}`, 'show the run');
    const relations = fieldOf(fieldOf(parseJson(reply.body), 'data'), 'relationships');
    const own = textOf(fieldOf(fieldOf(relations, 'workspace'), 'data'), 'id');
    if (own !== workspace)
      throw new BackendFault(
        'refused',
        `the saved plan is of another workspace than ${this.#workspaces.nameOf(this.#workspace)}`,
      );
    return seen(reply);
  }

  async find(id: string): Promise<SeenRun> {
    return seen(await this.#get(`runs/${id}`, 'show the run'));
  }

  /** Waits while a run has not begun. @param onWait told the run each time it was looked at */
  async begun(id: string, stopped: AbortSignal, onWait: (run: SeenRun) => void): Promise<SeenRun> {
    for (let pause = 250; ; pause = Math.min(pause * 1.5, 2_000)) {
      const run = await this.find(id);
      if (run.status !== 'pending' && run.status !== 'confirmed') return run;
      onWait(run);
      await sleep(pause, undefined, { signal: stopped });
    }
  }

  /** What a phase's programs say, as they say it. */
  async *log(id: string, phase: 'plan' | 'apply', stopped: AbortSignal): AsyncGenerator<string> {
    const name = await this.#phaseName(id, phase);
    const url = await this.#logUrl(phase, name);
    const decoder = new TextDecoder();
    for (let offset = 0; !stopped.aborted;) {
      const asked = performance.now();
      const query = [
        ['limit', String(LOG_BYTES)],
        ['offset', String(offset)],
      ] as const;
      const path = new URL(url);
      const reply = await this.#requests.send({
        method: 'GET',
        path,
        query,
        signal: stopped,
        withToken: false,
      });
      if (reply.status !== 200) throw refusal(reply, 'show the log');
      const bytes = reply.body;
      offset += bytes.length;
      const ended = bytes.at(-1) === LOG_ENDS;
      const text = decoder.decode(
        bytes.filter((byte) => byte !== LOG_BEGINS && byte !== LOG_ENDS),
        { stream: true },
      );
      if (text !== '') yield text;
      if (ended) return;
      if (bytes.length > 0 || performance.now() - asked > HELD_OPEN_MS) continue;
      const status = await this.#phaseStatus(name);
      if (['finished', 'errored', 'canceled', 'unreachable'].includes(status)) return;
      await sleep(LOG_PAUSE_MS, undefined, { signal: stopped });
    }
  }

  /** @returns whether it could be asked of the run */
  async act(id: string, action: 'apply' | 'discard' | 'cancel'): Promise<boolean> {
    const reply = await this.#requests.send({
      method: 'POST',
      path: `runs/${id}/actions/${action}`,
      document: '{}',
    });
    if (reply.status === 409) return false;
    if (reply.status < 200 || reply.status > 299) throw refusal(reply, `${action} the run`);
    return true;
  }

  async #phaseName(id: string, phase: 'plan' | 'apply'): Promise<string> {
    const reply = await this.#get(`runs/${id}?include=${phase}`, 'show the run');
    const relations = fieldOf(fieldOf(parseJson(reply.body), 'data'), 'relationships');
    const named = textOf(fieldOf(fieldOf(relations, phase), 'data'), 'id') ?? '';
    return `${phase === 'plan' ? 'plans' : 'applies'}/${encodeURIComponent(named)}`;
  }

  async #logUrl(phase: 'plan' | 'apply', name: string): Promise<URL> {
    const reply = await this.#get(name, `show the ${phase}`);
    const place = textOf(fieldOf(fieldOf(parseJson(reply.body), 'data'), 'attributes'), 'log-read-url');
    if (place === null) throw new BackendFault('other', `the ${phase} has no log`);
    return new URL(place, await this.#requests.api());
  }

  async #phaseStatus(name: string): Promise<string> {
    const reply = await this.#get(name, 'show the plan or apply');
    return textOf(fieldOf(fieldOf(parseJson(reply.body), 'data'), 'attributes'), 'status') ?? '';
  }

  async #get(path: string, what: string): Promise<HcpReply> {
    const reply = await this.#requests.send({ method: 'GET', path });
    if (reply.status !== 200) throw refusal(reply, what);
    return reply;
  }

  #post(path: string, data: object, program: RunOrder['program'] = 'terraform'): Promise<HcpReply> {
    return this.#requests.send({ method: 'POST', path, document: JSON.stringify({ data }), program });
  }
}

function seen(reply: HcpReply): SeenRun {
  const data = fieldOf(parseJson(reply.body), 'data');
  const attributes = fieldOf(data, 'attributes');
  const [id, status] = [textOf(data, 'id'), textOf(attributes, 'status')];
  if (id === null || !/^run-[\w-]+$/.test(id) || status === null)
    throw new BackendFault('other', `invalid answer about a run: ${errorsIn(reply).title}`);
  const place = fieldOf(attributes, 'position-in-queue');
  return {
    id,
    status,
    hasChanges: fieldOf(attributes, 'has-changes') === true,
    isConfirmable: fieldOf(fieldOf(attributes, 'actions'), 'is-confirmable') === true,
    place: typeof place === 'number' ? place : 0,
  };
}
