import { describe, expect, it } from 'vitest';
import type { DetectedRequest } from '../../../src/protocols/azurerm/door/detect.ts';
import { isSasSignedWith, readSas, sasRefusal } from '../../../src/protocols/azurerm/door/sas.ts';
import { isSignedWith, readKeySignature } from '../../../src/protocols/azurerm/door/shared-key.ts';
import { readQuery } from '../../../src/protocols/wire/uri.ts';

// All of these were made by azure-storage-blob 12.31.1 for Python.
const KEY = 'dGVzdGtleXRlc3RrZXl0ZXN0a2V5dGVzdGtleTAxMjM0NQ==';
const DATE = 'Fri, 20 Nov 2026 06:14:26 GMT';

type Headers = Readonly<Record<string, string>>;

const REQUESTS: readonly (readonly [method: string, target: string, headers: Headers, signature: string])[] =
  [
    [
      'PUT',
      '/acme/net/appenv%3Adev?comp=lease',
      {
        'x-ms-lease-action': 'acquire',
        'x-ms-lease-duration': '-1',
        'x-ms-proposed-lease-id': '0a0a0a0a-1111-2222-3333-444444444444',
        'x-ms-date': DATE,
        'x-ms-version': '2023-11-03',
        'content-length': '0',
      },
      'zGRcrX+huXiZnZhOFeENvoDIo9pv7Vc/i3nwyd8C168=',
    ],
    [
      'GET',
      '/acme?restype=container&comp=list&prefix=net%2Fapp%20b%2Bc&include=metadata',
      { 'x-ms-date': DATE, 'x-ms-version': '2026-10-06', 'x-ms-client-request-id': 'r-1' },
      '9cnfbk+sLoiN/JLgtAbb9hdX/r6sy0ZE/eLiSVLmQJA=',
    ],
    [
      'PUT',
      '/azure/acct/acme/net/app',
      {
        'x-ms-blob-type': 'BlockBlob',
        'x-ms-meta-terraformlockid': 'eyJJRCI6',
        'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==',
        'content-type': 'application/octet-stream',
        'if-match': '"0x1"',
        'if-none-match': '*',
        'if-unmodified-since': DATE,
        'x-ms-range': 'bytes=0-9',
        'x-ms-date': DATE,
        'x-ms-version': '2023-11-03',
        'content-length': '181',
      },
      'bWFjsA+wU+FzbG1UuR1AAeV9NbjwaOxEv3WTUc9lwsM=',
    ],
  ];

function requestOf(method: string, target: string, headers: Headers): Parameters<typeof isSignedWith>[1] {
  const [path = '', query = ''] = target.split('?');
  const rawHeaders = Object.entries(headers).flat();
  return { method, path, query, rawHeaders, header: (name) => headers[name] };
}

describe('Shared Key', () => {
  it.each(REQUESTS)('of %s %s is what the library of Azure signs', (method, target, headers, signature) => {
    const read = readKeySignature(`SharedKey acct:${signature}`);
    if (read === null) throw new Error('not read');
    expect(isSignedWith(KEY, requestOf(method, target, headers), read)).toBe(true);
    const changed = [
      requestOf(method === 'GET' ? 'HEAD' : 'GET', target, headers),
      requestOf(method, target.replace('acme', 'other'), headers),
      requestOf(method, `${target}${target.includes('?') ? '&' : '?'}snapshot=x`, headers),
      requestOf(method, target, { ...headers, 'x-ms-lease-id': 'another' }),
      requestOf(method, target, { ...headers, 'x-ms-version': '2018-11-09' }),
      requestOf(method, target, { ...headers, 'content-length': '182' }),
    ];
    for (const request of changed) expect(isSignedWith(KEY, request, read)).toBe(false);
    expect(
      isSignedWith(Buffer.from('another').toString('base64'), requestOf(method, target, headers), read),
    ).toBe(false);
  });

  it.each([
    undefined,
    '',
    'SharedKey acct',
    'SharedKey acct:short',
    'Bearer a.b',
    `SharedKeyTable acct:${'A'.repeat(44)}`,
  ])('is not read out of %s', (header) => {
    expect(readKeySignature(header)).toBe(null);
  });
});

const ACCOUNT_SAS =
  'st=2026-01-01T00%3A00%3A00Z&se=2027-01-02T03%3A04%3A05Z&sp=rwl&sip=127.0.0.1-127.0.0.9&spr=https%2Chttp&sv=2026-10-06&ss=b&srt=sco&sig=0duhuJNRxx1LGrwInM2Sd1UEQ%2B38UmMnVeRAwc1l%2BO4%3D';
const CONTAINER_SAS =
  'se=2027-01-02T03%3A04%3A05Z&sp=rwl&sv=2026-10-06&si=SHAAAABBBBCCCCDDDD&sr=c&sig=aTZU%2Bmm/00QY/ICV5iLaeM9mL6WsfZAS1%2BWgmv882TM%3D';
const BLOB_SAS =
  'se=2027-01-02T03%3A04%3A05Z&sp=r&sv=2026-10-06&sr=b&rsct=application/json&sig=j5ljuab/F4UlwD1ieclQCzmOAJugQpygqMbhRijQKo0%3D';

function sasIn(query: string): NonNullable<ReturnType<typeof readSas>> {
  const sas = readSas(readQuery(query) ?? new Map(), 'acct');
  if (sas === null) throw new Error('not read');
  return sas;
}

describe('a shared access signature', () => {
  it.each([
    ['of an account', ACCOUNT_SAS],
    ['of a container', CONTAINER_SAS],
    ['of a blob', BLOB_SAS],
  ])('%s is what the library of Azure signs, and nothing else', (_, query) => {
    const place = { container: 'acme', blob: 'net/app' };
    expect(isSasSignedWith(KEY, sasIn(query), place)).toBe(true);
    const sp = /sp=(\w+)/.exec(query)?.[1] ?? '';
    for (const changed of [
      query.replace(`sp=${sp}`, 'sp=rwld'),
      query.replace('2027', '2028'),
      query.replace('sv=2026-10-06', 'sv=2018-11-09'),
    ])
      expect(isSasSignedWith(KEY, sasIn(changed), place)).toBe(false);
  });

  it('is good in its container or at its blob alone, and names the credential as its policy', () => {
    expect(sasIn(CONTAINER_SAS).policy).toBe('SHAAAABBBBCCCCDDDD');
    expect(isSasSignedWith(KEY, sasIn(CONTAINER_SAS), { container: 'other', blob: 'net/app' })).toBe(false);
    expect(isSasSignedWith(KEY, sasIn(BLOB_SAS), { container: 'acme', blob: 'net/other' })).toBe(false);
  });

  const at = (query: string, more: object = {}, now = '2026-06-01T00:00:00Z'): string => {
    const request = { secure: true, peer: '127.0.0.1', ...more };
    const asked = {
      operation: 'GetBlob',
      container: 'acme',
      ...more,
    } as Pick<DetectedRequest, 'operation' | 'container'>;
    return sasRefusal(sasIn(query), request, asked, Date.parse(now))?.code ?? 'permitted';
  };

  it.each([
    ['in its time and place', ACCOUNT_SAS, {}, 'permitted'],
    ['from another address', ACCOUNT_SAS, { peer: '127.0.0.10' }, 'AuthorizationSourceIPMismatch'],
    ['from an address of another kind', ACCOUNT_SAS, { peer: '::1' }, 'AuthorizationSourceIPMismatch'],
    ['what it does not permit', ACCOUNT_SAS, { operation: 'DeleteBlob' }, 'AuthorizationPermissionMismatch'],
    ['a listing of its container', CONTAINER_SAS, { operation: 'ListBlobs' }, 'permitted'],
    [
      'a listing of all containers',
      CONTAINER_SAS,
      { operation: 'ListContainers', container: '' },
      'AuthorizationResourceTypeMismatch',
    ],
    [
      'a listing by the signature of a blob',
      BLOB_SAS.replace('sp=r', 'sp=rl'),
      { operation: 'ListBlobs' },
      'AuthorizationResourceTypeMismatch',
    ],
    [
      'plain HTTP where it is for https',
      BLOB_SAS.replace('sp=r', 'spr=https&sp=r'),
      { secure: false },
      'AuthorizationProtocolMismatch',
    ],
    ['another service', ACCOUNT_SAS.replace('ss=b', 'ss=q'), {}, 'AuthorizationServiceMismatch'],
    [
      'another type of resource',
      ACCOUNT_SAS.replace('srt=sco', 'srt=sc'),
      {},
      'AuthorizationResourceTypeMismatch',
    ],
    ['an old version', ACCOUNT_SAS.replace('sv=2026-10-06', 'sv=2015-04-05'), {}, 'AuthenticationFailed'],
  ])('is asked for %s: %s', (_, query, more, code) => {
    expect(at(query, more)).toBe(code);
  });

  it('is good from its start to its end', () => {
    expect(at(ACCOUNT_SAS, {}, '2025-12-31T23:59:59Z')).toBe('AuthenticationFailed');
    expect(at(ACCOUNT_SAS, {}, '2027-01-02T03:04:05Z')).toBe('AuthenticationFailed');
    expect(at(ACCOUNT_SAS.replace('se=2027', 'se=never'), {})).toBe('AuthenticationFailed');
  });
});
