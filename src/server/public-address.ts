import { BlockList, isIP } from 'node:net';

/** Networks of IPv4 that are not of the public Internet (IANA, "IPv4 Special-Purpose Address Registry"), and multicast. */
const NOT_PUBLIC: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** All public addresses of IPv6 are within one network, and these are within it without being public, or have another one in them. */
const PUBLIC_V6 = ['2000::', 3] as const;
const NOT_PUBLIC_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const shut = new BlockList();
for (const [network, bits] of NOT_PUBLIC) shut.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of NOT_PUBLIC_V6) shut.addSubnet(network, bits, 'ipv6');
const open = new BlockList();
open.addSubnet(...PUBLIC_V6, 'ipv6');

/** Whether an IP address is one of the public Internet: neither this machine, nor its network, nor a cloud's own services. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !shut.check(address, 'ipv4');
  return version === 6 && open.check(address, 'ipv6') && !shut.check(address, 'ipv6');
}
