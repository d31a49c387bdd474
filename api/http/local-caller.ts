import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isLoopbackHost } from '../../config/rules.ts';
import { hostOf } from './hosts.ts';

/** Headers that proxies add; a direct request from this machine has none of them. */
const FORWARDING =
  /^(?:forwarded|via|x-forwarded(?:-.+)?|x-real-ip|x-client-ip|x-original-.+|true-client-ip|cf-.+|x-envoy-.+)$/;

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** The addresses of CIDRs such as `127.0.0.2/32` and `::1/128`, which were checked. */
function addressesOf(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = '', bits = ''] = cidr.split('/');
    list.addSubnet(network, Number(bits), family(network));
  }
  return list;
}

const loopback = addressesOf(['127.0.0.0/8', '::1/128']);

/**
 * Whether a request comes from a program on this machine: over loopback, to a loopback name, not from the address of a trusted proxy, and
 * without a proxy header. In-process requests have such a header. A request forwarded without one, from a proxy that is not declared,
 * is indistinguishable from a local request: docs/operations.md requires the declaration.
 */
export function createLocalCheck(trustProxy: readonly string[]): (request: FastifyRequest) => boolean {
  const proxies = addressesOf(trustProxy);
  return ({ headers, raw: { socket } }) => {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d)/, '');
    if (isIP(address) === 0 || !loopback.check(address, family(address))) return false;
    if (proxies.check(address, family(address))) return false;
    if (!isLoopbackHost(hostOf(headers.host ?? ''))) return false;
    return !Object.keys(headers).some((name) => FORWARDING.test(name));
  };
}
