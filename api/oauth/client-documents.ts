import dns from 'node:dns/promises';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { Readable } from 'node:stream';

/** Networks that are no public hosts (IANA special-purpose registries). */
const SPECIAL_NETWORKS = [
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
] as const;
/** Of IPv6 only these are public, without those in `EXCLUDED_IPV6`. */
const PUBLIC_IPV6 = ['2000::', 3] as const;
const EXCLUDED_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const special = new BlockList();
for (const [network, bits] of SPECIAL_NETWORKS) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of EXCLUDED_IPV6) special.addSubnet(network, bits, 'ipv6');
const publicIpv6 = new BlockList();
publicIpv6.addSubnet(...PUBLIC_IPV6, 'ipv6');

/** Returns true for an address that a host of the internet has. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, 'ipv4');
    case 6:
      return publicIpv6.check(address, 'ipv6') && !special.check(address, 'ipv6');
    default:
      return false;
  }
}

interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/**
 * Returns the addresses of a name in the DNS. Not by `lookup`: a name whose servers do not answer would occupy one of the two threads for the look-ups of this
 * process, however long its caller waits.
 */
async function inDns(name: string): Promise<HostAddress[]> {
  const [four, six] = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
  const of = (family: number, found: PromiseSettledResult<string[]>): HostAddress[] =>
    found.status === 'rejected' ? [] : found.value.map((address) => ({ address, family }));
  return [...of(4, four), ...of(6, six)];
}

/** Returns an address of a host. @throws Error if it has none, or one that is not public and the host is not in `privateHosts` */
async function addressOf(hostname: string, privateHosts: readonly string[]): Promise<HostAddress> {
  const name = hostname.replace(/^\[(.*)\]$/, '$1');
  const isPrivate = privateHosts.includes(hostname.toLowerCase());
  // Names of the operator may be those of the machine's own files.
  const resolve = () => (isPrivate ? dns.lookup(name, { all: true, verbatim: true }) : inDns(name));
  const family = isIP(name);
  const found = family === 0 ? await resolve() : [{ address: name, family }];
  const [first] = found;
  if (first === undefined) throw new Error('the host has no address');
  // All of them: a name with a public and a private address is an attempt.
  if (!isPrivate && !found.every(({ address }) => isPublicAddress(address)))
    throw new Error('the host has a private address');
  return first;
}

/** Rejects when the signal aborts. */
function whenAborted(signal: AbortSignal): Promise<never> {
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
  return aborted.promise;
}

/**
 * Returns a fetch for documents that others host. It sends GET over TLS to the addresses that it has checked, so that a second look-up of the name cannot
 * lead elsewhere, and follows no redirect. The caller limits time (`signal`) and size. @throws Error
 */
export function createDocumentFetch(privateHosts: readonly string[]): typeof globalThis.fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const signal = init?.signal ?? AbortSignal.timeout(2_500);
    if (url.protocol !== 'https:' || (init?.method ?? 'GET') !== 'GET')
      throw new Error('only GET over https is allowed');
    const { address, family } = await Promise.race([addressOf(url.hostname, privateHosts), whenAborted(signal)]);
    const answer = Promise.withResolvers<Response>();
    const sent = httpsRequest(
      url,
      {
        headers: { accept: 'application/json' },
        signal,
        agent: false,
        // Connects to the checked address; the certificate is still compared with the name.
        lookup: (_name, options, done) => {
          if (options.all === true) done(null, [{ address, family }]);
          else done(null, address, family);
        },
      },
      (received) => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(received.headers))
          if (typeof value === 'string') headers.set(name, value);
        const { statusCode = 502 } = received;
        // A Response takes no body with these.
        const hasBody = statusCode === 200;
        if (!hasBody) received.resume();
        const body = hasBody ? Readable.toWeb(received) : null;
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two types of the same web stream
        answer.resolve(
          new Response(body as ReadableStream | null, { status: statusCode < 200 ? 502 : statusCode, headers }),
        );
      },
    );
    sent.on('error', answer.reject);
    sent.end();
    return answer.promise;
  };
}
