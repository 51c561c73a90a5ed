import { sign } from 'node:crypto';
import { promisify } from 'node:util';
import { DEFAULT_WORKSPACE, type Address } from '../../core/address.ts';
import type { House } from '../../house/house.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { RunLimits } from '../limits.ts';
import type { PhaseVariable } from '../phase-store.ts';
import type { Phase } from '../records.ts';
import type { Run } from '../run-book.ts';
import type { PublicKey, SigningKeys } from './signing-keys.ts';

/** Environment variables of a workspace that ask for a token: for whom it is, under a name of its own or without one. */
const AUDIENCE = /^TFC_WORKLOAD_IDENTITY_AUDIENCE(_[A-Z0-9_]{1,64})?$/;
/** How many tokens a phase is given. */
const TOKENS_MAX = 20;
/** What HCP calls the project of a workspace that is in none. */
const DEFAULT_PROJECT = 'Default Project';
const MARGIN_SECONDS = 60;
const signAsync = promisify(sign);

/** Where the issuer's documents are, below its address. */
export const OPENID_PATH = '/.well-known/openid-configuration';
export const KEYS_PATH = '/.well-known/jwks';

/**
 * Tokens by which the programs of a run prove to a cloud what they are, so that it gives them rights and no secret of it is kept
 * here. Their claims are HCP's ("Workload identity tokens" of its documentation).
 */
export class RunIdentity {
  readonly #house: House;
  readonly #keys: SigningKeys;
  readonly #entropy: Entropy;
  readonly #issuer: string;
  readonly #limits: RunLimits;
  readonly #workspaceId: (address: Address) => string;

  constructor(options: {
    house: House;
    keys: SigningKeys;
    entropy: Entropy;
    /** The address by which clouds reach this server, without a slash at its end. */
    issuer: string;
    limits: RunLimits;
    workspaceId: (address: Address) => string;
  }) {
    this.#house = options.house;
    this.#keys = options.keys;
    this.#entropy = options.entropy;
    this.#issuer = options.issuer;
    this.#limits = options.limits;
    this.#workspaceId = options.workspaceId;
  }

  /** What OpenID Connect Discovery tells of the issuer. */
  document(): object {
    return {
      issuer: this.#issuer,
      jwks_uri: `${this.#issuer}${KEYS_PATH}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid'],
      claims_supported: ['sub', 'aud', 'exp', 'iat', 'iss', 'jti', 'nbf', ...Object.keys(NO_CLAIMS)],
    };
  }

  async keySet(): Promise<{ readonly keys: readonly PublicKey[] }> {
    return { keys: await this.#keys.told() };
  }

  /** The tokens that a workspace's variables ask for, as variables of the environment. */
  async tokensFor(run: Run, variables: readonly PhaseVariable[]): Promise<readonly PhaseVariable[]> {
    const { job } = run;
    const asked = variables.filter(({ category, key }) => category === 'env' && AUDIENCE.test(key));
    if (job === null || asked.length === 0) return [];
    return Promise.all(
      asked.slice(0, TOKENS_MAX).map(async ({ key, value }) => ({
        key: `TFC_WORKLOAD_IDENTITY_TOKEN${AUDIENCE.exec(key)?.[1] ?? ''}`,
        category: 'env' as const,
        hcl: false,
        value: await this.#token(run, job.phase, value),
        overrides: false,
      })),
    );
  }

  async #token({ id, address }: Run, phase: Phase, audience: string): Promise<string> {
    const { id: kid, key } = await this.#keys.current();
    const at = Math.floor((await this.#house.now()) / 1_000);
    const { group = null } = (await this.#house.workspaces.kept.recordOf(address)) ?? {};
    const names = {
      organization: named(address.project),
      project: group === null ? DEFAULT_PROJECT : named(group),
      workspace: nameOf(address),
    };
    const full = `organization:${names.organization}:project:${names.project}:workspace:${names.workspace}`;
    const claims = {
      jti: this.#entropy.uuid(),
      iss: this.#issuer,
      aud: audience,
      sub: `${full}:run_phase:${phase}`,
      iat: at,
      nbf: at - MARGIN_SECONDS,
      exp: at + this.#limits[phase] / 1_000 + MARGIN_SECONDS,
      ...NO_CLAIMS,
      terraform_organization_id: address.project,
      terraform_organization_name: names.organization,
      terraform_project_id: group ?? '',
      terraform_project_name: names.project,
      terraform_workspace_id: this.#workspaceId(address),
      terraform_workspace_name: names.workspace,
      terraform_full_workspace: full,
      terraform_run_id: id,
      terraform_run_phase: phase,
    };
    const text = `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${encoded(claims)}`;
    const signature = await signAsync('RSA-SHA256', Buffer.from(text), key);
    return `${text}.${signature.toString('base64url')}`;
  }
}

const NO_CLAIMS = {
  terraform_organization_id: '',
  terraform_organization_name: '',
  terraform_project_id: '',
  terraform_project_name: '',
  terraform_workspace_id: '',
  terraform_workspace_name: '',
  terraform_full_workspace: '',
  terraform_run_id: '',
  terraform_run_phase: '',
};

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function nameOf({ key, workspace }: Address): string {
  return workspace === DEFAULT_WORKSPACE ? named(key) : `${named(key)}@${named(workspace)}`;
}

/** A name in which nothing can be taken for another part of the subject: clouds compare it, and take "*" and "?" for patterns. */
function named(text: string): string {
  return text.replaceAll(/[^\w./ -]/gu, (character) =>
    encodeURIComponent(character).replace(/^[*!'()~]$/, hex),
  );
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
