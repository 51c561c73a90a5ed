import { fc } from '../../support/chance.ts';
import { describe, expect, it } from 'vitest';
import { isAddress, makeAddress, type Address } from '../../../src/core/address.ts';
import {
  outputId,
  projectId,
  readOutputId,
  readProjectId,
  readStateVersionId,
  readWorkspaceId,
  readWorkspaceName,
  stateVersionId,
  workspaceId,
  workspaceName,
} from '../../../src/protocols/hcp/layout.ts';

const at = (key: string, workspace = 'default'): Address => ({ project: 'acme', key, workspace });

const ADDRESSES: fc.Arbitrary<Address> = fc
  .tuple(
    fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom(...'ab1-_./ ~:@$äé😀'.match(/./gu)!) }),
    fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'ab1-_.~$&+=:@') }),
    fc.boolean(),
  )
  .map(([key, workspace, plain]) => makeAddress('acme', key, plain ? 'default' : workspace))
  .filter(isAddress);

describe('the name of a workspace', () => {
  it.each([
    ['net', 'default', 'net'],
    ['net-prod_1', 'default', 'net-prod_1'],
    ['net/terraform.tfstate', 'default', 'net..terraform.tfstate'],
    ['net/terraform.tfstate', 'dev', 'net..terraform.tfstate.-dev'],
    ['a b', 'default', 'a._20b'],
    ['net/.hidden', 'default', 'net...hidden'],
    ['net/_x', 'default', 'net.._x'],
    ['a.-b', 'default', 'a._2e-b'],
    ['ä', 'x.y', '._c3._a4.-x.y'],
  ])('of %s@%s is %s', (key, workspace, name) => {
    expect(workspaceName(at(key, workspace))).toBe(name);
    expect(readWorkspaceName('acme', name)).toEqual(at(key, workspace));
  });

  it('is one for each state, is read back, and has no character that a path must escape', () => {
    fc.assert(
      fc.property(ADDRESSES, (address) => {
        const name = workspaceName(address);
        expect(name).toMatch(/^[A-Za-z0-9._-]+$/);
        expect(readWorkspaceName('acme', name)).toEqual(address);
      }),
    );
  });

  it('is never a second one of a state', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom(...'ab1-_.2e0f') }),
        (name) => {
          const address = readWorkspaceName('acme', name);
          if (isAddress(address)) expect(workspaceName(address)).toBe(name);
        },
      ),
    );
  });

  it.each([
    '',
    '.',
    'a.',
    'a._',
    'a._4',
    'a._41',
    'a._ff',
    'a b',
    'ä',
    'a/b',
    'a.-default',
    'a.-b.-c',
    '..a',
    'a..',
    'a....b',
  ])('is not %j', (name) => {
    expect(isAddress(readWorkspaceName('acme', name))).toBe(false);
  });
});

describe('an ID', () => {
  it('has in it what it names, and is one for each', () => {
    fc.assert(
      fc.property(ADDRESSES, fc.bigInt(0n, 2n ** 64n - 1n), (address, serial) => {
        expect(readWorkspaceId(workspaceId(address))).toEqual(address);
        const version = { address, serial, md5: '0123456789abcdef0123456789abcdef' };
        expect(readStateVersionId(stateVersionId(version))).toEqual(version);
        expect(readOutputId(outputId(version, 'a name'))).toEqual({ version, name: 'a name' });
      }),
    );
    expect(readProjectId(projectId('acme', null))).toEqual({ organization: 'acme', name: null });
    expect(readProjectId(projectId('acme', 'Base Layer'))).toEqual({
      organization: 'acme',
      name: 'Base Layer',
    });
  });

  it.each([
    '',
    'ws-',
    'ws-!',
    'ws-YQ',
    'sv-YQ',
    `${workspaceId(at('net'))}=`,
    workspaceId(at('net')).toUpperCase(),
  ])('of a workspace is not %j', (id) => expect(readWorkspaceId(id)).toBeNull());
});
