import { describe, expect, it } from 'vitest';
import { isProblem } from '../../src/core/read-value.ts';
import { SETTINGS } from '../../src/server/settings.ts';
import { networkProblem, Peers } from '../../src/server/peer.ts';

const TRUSTED = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8'];

describe('where a request came from', () => {
  it.each<[string, string, string | undefined, string]>([
    ['the connection, of which no proxy is known', '203.0.113.5', '198.51.100.9', '203.0.113.5'],
    ['the connection, where a proxy says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['whom a trusted proxy was asked by', '10.0.0.1', '198.51.100.9', '198.51.100.9'],
    ['IPv4, where the connection says it in IPv6', '::ffff:10.0.0.1', '198.51.100.9', '198.51.100.9'],
    ['not whom the client itself wrote', '10.0.0.1', '1.1.1.1, 198.51.100.9', '198.51.100.9'],
    ['through a chain of trusted ones', '10.0.0.1', '1.1.1.1, 198.51.100.9, 192.0.2.1', '198.51.100.9'],
    ['without a port', '10.0.0.1', '198.51.100.9:4711', '198.51.100.9'],
    ['without brackets', '10.0.0.1', '[2001:db8::9]:4711', '2001:db8::9'],
    ['by IPv6', 'fd00::1', '2001:db8::9', '2001:db8::9'],
    ['the proxy, where what it says is no address', '10.0.0.1', '198.51.100.9, unknown', '10.0.0.1'],
    ['the farthest that is known, where all are trusted', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ])('is %s', (_, remote, forwarded, peer) => {
    expect(new Peers(TRUSTED).of(remote, forwarded)).toBe(peer);
  });

  it('is the connection for all, unless a proxy is named', () => {
    expect(new Peers([]).of('10.0.0.1', '198.51.100.9')).toBe('10.0.0.1');
  });

  it.each(['10.0.0.0/33', 'example.org', '', '10.0.0.0/8/8', '10.0.0.0/x', '::1/129'])(
    'cannot be told by the proxy "%s"',
    (text) => {
      expect(networkProblem(text)).toMatch(/^invalid network .*: expected an address/);
    },
  );

  it('is a setting of several networks', () => {
    expect(SETTINGS.trustedProxy.read(' 10.0.0.0/8, ::1 ,')).toEqual(['10.0.0.0/8', '::1']);
    expect(SETTINGS.trustedProxy.read(undefined)).toEqual([]);
    expect(isProblem(SETTINGS.trustedProxy.read('10.0.0.0/8,proxy'))).toBe(true);
  });
});
