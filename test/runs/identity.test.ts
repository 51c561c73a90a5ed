import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RecordBodies } from '../../src/house/records/bodies.ts';
import { SigningKeys } from '../../src/runs/identity/signing-keys.ts';
import { systemEntropy } from '../../src/server/runtime.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { playedPrograms } from './played-program.ts';
import { newPool, PlayingAgent, useAgents } from './playing-agent.ts';
import { NET, RunningHouse, slugOf } from './running-house.ts';

const ISSUER = 'https://state.example.test';
const DAY = 86_400_000;

interface KeySet {
  readonly keys: readonly (JsonWebKey & { readonly kid: string })[];
}

/** The claims of a token that a key of the set has signed. */
function verified(token: string, { keys }: KeySet): Readonly<Record<string, unknown>> {
  const [header = '', claims = '', signature = ''] = token.trim().split('.');
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  expect(read(header)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
  const key = keys.find(({ kid }) => kid === read(header)['kid']);
  if (key === undefined) throw new Error('the key of the token is not told of');
  const text = Buffer.from(`${header}.${claims}`);
  const isGood = verify(
    'RSA-SHA256',
    text,
    createPublicKey({ key, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  );
  if (!isGood) throw new Error('the signature is not good');
  return read(claims);
}

describe('the identity of a run', () => {
  let programs: Awaited<ReturnType<typeof playedPrograms>>;
  let house: RunningHouse;
  let out: string;

  beforeAll(async () => {
    programs = await playedPrograms();
    house = await RunningHouse.open({ programs: programs.path, issuer: ISSUER });
    out = await mkdtemp(join(tmpdir(), 'statehouse-identity-'));
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
    await programs[Symbol.asyncDispose]();
    await rm(out, { recursive: true });
  });

  const says = (name: string): string =>
    `printf %s "$TFC_WORKLOAD_IDENTITY_TOKEN" > ${out}/${name}; printf %s "$TFC_WORKLOAD_IDENTITY_TOKEN_GCP" > ${out}/${name}-gcp\n`;
  const said = (name: string): Promise<string> => readFile(join(out, name), 'utf8');
  const keySet = async (): Promise<KeySet> => {
    const told = await house.house.ask('GET', '/.well-known/openid-configuration', { as: null });
    const document = JSON.parse(told.text) as { readonly issuer: string; readonly jwks_uri: string };
    expect(document.issuer).toBe(ISSUER);
    const { pathname } = new URL(document.jwks_uri);
    const keys = await house.house.ask('GET', pathname, { as: null });
    expect(keys.text).not.toMatch(/"d"|"p"|"q"|PRIVATE/);
    return JSON.parse(keys.text) as KeySet;
  };
  const set = async (key: string, value: string, address = NET): Promise<void> => {
    const change = { key, value, category: 'env' } as const;
    const answer = await house.house.house.workspaces.variables.set(ADMIN_CALLER, address, null, change);
    expect(answer.type).toBe('set');
  };

  it('is none where the workspace asks for none', async () => {
    const { id } = await house.run(await house.configuration(await slugOf({ 'plan.sh': says('none') })));
    await house.until(id, 'planned', 'errored');
    expect(await said('none')).toBe('');
    await house.runs.act(ADMIN_CALLER, id, 'discard');
  });

  it('is proven in each phase by tokens of its own, for whom the workspace says', async () => {
    await set('TFC_WORKLOAD_IDENTITY_AUDIENCE', 'aws.workload.identity');
    await set('TFC_WORKLOAD_IDENTITY_AUDIENCE_GCP', '//iam.googleapis.com/x');
    const slug = await slugOf({ 'plan.sh': says('plan'), 'apply.sh': says('apply') });
    const { id } = await house.run(await house.configuration(slug), { autoApply: true });
    await house.until(id, 'applied', 'errored');
    const keys = await keySet();
    const full = 'organization:app:project:Default Project:workspace:net';
    const plan = verified(await said('plan'), keys);
    expect(plan).toMatchObject({
      iss: ISSUER,
      aud: 'aws.workload.identity',
      sub: `${full}:run_phase:plan`,
      terraform_full_workspace: full,
      terraform_organization_name: 'app',
      terraform_workspace_name: 'net',
      terraform_run_id: id,
      terraform_run_phase: 'plan',
    });
    const now = Date.now() / 1_000;
    expect(Number(plan['nbf'])).toBeLessThan(now);
    expect(Number(plan['exp']) - now).toBeLessThan(2 * 3_600 + 120);
    const apply = verified(await said('apply'), keys);
    expect(apply).toMatchObject({ sub: `${full}:run_phase:apply` });
    expect(apply['jti']).not.toBe(plan['jti']);
    expect(verified(await said('plan-gcp'), keys)).toMatchObject({ aud: '//iam.googleapis.com/x' });
  });

  it('names a workspace so that none can be taken for another, or for a pattern', async () => {
    const odd = { project: 'app', key: 'net:run_phase:apply?', workspace: 'dev' };
    await set('TFC_WORKLOAD_IDENTITY_AUDIENCE', 'aws', odd);
    const slug = await slugOf({ 'plan.sh': says('odd') });
    const { id } = await house.run(await house.configuration(slug, { address: odd }));
    await house.until(id, 'planned', 'errored');
    expect(verified(await said('odd'), await keySet())['sub']).toBe(
      'organization:app:project:Default Project:workspace:net%3Arun_phase%3Aapply%3F@dev:run_phase:plan',
    );
  });

  it('is given to what an agent executes, too', async () => {
    const pool = await newPool(house.runs, 'app');
    const address = { project: 'app', key: 'far', workspace: 'default' };
    await useAgents(house.runs, address, pool.id);
    await set('TFC_WORKLOAD_IDENTITY_AUDIENCE', 'aws', address);
    await using _agent = await PlayingAgent.start(house.house, pool.token, { programs: programs.path });
    const slug = await slugOf({ 'plan.sh': says('far') });
    const { id } = await house.run(await house.configuration(slug, { address }), { version: '1.2.3' });
    await house.until(id, 'planned', 'errored');
    expect(verified(await said('far'), await keySet())).toMatchObject({ terraform_run_id: id });
  });

  it('is told by no server that does not know by which address it is reached', async () => {
    await using other = await TestHouse.open();
    for (const path of ['/.well-known/openid-configuration', '/.well-known/jwks'])
      expect((await other.ask('GET', path, { as: null })).status).toBe(404);
  });

  it('is signed by another key every month, and the one before is told of until its tokens are over', async () => {
    await using other = await TestHouse.open({ store: { kind: 'memory' }, masterKeys: null });
    const { engine, sealer } = other;
    let at = await other.house.now();
    const keys = new SigningKeys({
      house: { now: () => Promise.resolve(at), records: (kind) => other.house.records(kind) },
      bodies: new RecordBodies({ engine, sealer, entropy: systemEntropy }),
      entropy: systemEntropy,
    });
    const first = await keys.current();
    at += 29 * DAY;
    expect((await keys.current()).id).toBe(first.id);
    at += 2 * DAY;
    const second = await keys.current();
    expect(second.id).not.toBe(first.id);
    expect((await keys.told()).map(({ kid }) => kid).sort()).toEqual([first.id, second.id].sort());
    at += 3 * DAY;
    expect((await keys.told()).map(({ kid }) => kid)).toEqual([second.id]);
    // What is kept of a key has nothing of its private part in the clear.
    const stored = JSON.stringify(await engine.entries('run-signing-key'));
    expect(stored).not.toMatch(/PRIVATE|"d"/);
  });
});
