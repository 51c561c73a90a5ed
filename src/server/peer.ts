import { BlockList, isIP } from 'node:net';

/** More forwarded addresses than any chain of proxies has; of a longer list only the last ones count. */
const FORWARDED_MAX = 32;

/** Says which network address a request came from: that of the connection, unless that is a proxy's that is trusted. */
export class Peers {
  readonly #trusted = new BlockList();
  /** To look into a list is dear, even into one of nothing, and each request does. */
  readonly #trustsNone: boolean;

  /** @param trusted networks of reverse proxies, such as `10.0.0.0/8`, each valid by {@link networkProblem} */
  constructor(trusted: readonly string[]) {
    this.#trustsNone = trusted.length === 0;
    for (const network of trusted) {
      const [address = '', bits] = network.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  isTrusted(address: string): boolean {
    if (this.#trustsNone) return false;
    const version = isIP(address);
    return version !== 0 && this.#trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * @param remote the address of the connection
   * @param forwarded `X-Forwarded-For`, to which each proxy adds whom it was asked by: whatever stands before the first address
   *   that is no trusted proxy's was written by the client itself, and counts for nothing
   */
  of(remote: string, forwarded: string | undefined): string {
    let peer = plainAddress(remote);
    const hops = (forwarded ?? '').split(',').slice(-FORWARDED_MAX);
    while (this.isTrusted(peer)) {
      const hop = plainAddress(hops.pop()?.trim() ?? '');
      if (isIP(hop) === 0) break;
      peer = hop;
    }
    return peer;
  }
}

/** Why a text is not a network; null if it is one: an address, or an address and `/` and how many of its bits count. */
export function networkProblem(text: string): string | null {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  return version !== 0 && fits && more.length === 0
    ? null
    : `invalid network "${text}": expected an address such as 10.0.0.7 or a network such as 10.0.0.0/8`;
}

/** Without a port, brackets and the prefix under which IPv6 has IPv4. */
function plainAddress(text: string): string {
  const address = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
