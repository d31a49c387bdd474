import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopbackHost, listOf } from './rules.ts';
import type { Fault } from './rules.ts';

const MAX_LIST_TEXT = 4_096;

/** Settings of the api's listener: address, TLS, names, pages of other sites. */
export const httpEnvironment = {
  RECOLLECT_HTTP_HOST: z.string().default('127.0.0.1').describe('Listen address of the api'),
  RECOLLECT_HTTP_PORT: z.coerce.number().int().min(0).max(65_535).default(37_700).describe('Listen port of the api'),
  RECOLLECT_TLS_CERT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file with the certificate chain of the api; it then serves HTTPS only. Changed files are reloaded'),
  RECOLLECT_TLS_KEY_FILE: z.string().min(1).optional().describe('PEM file with the private key of the certificate'),
  RECOLLECT_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address of the api for users and agents, as named by its certificate; default: the listen address'),
  RECOLLECT_ALLOWED_HOSTS: z
    .string()
    .max(MAX_LIST_TEXT)
    .default('')
    .describe(
      'Further names and addresses, separated by commas and without ports, under which clients reach the api. Loopback, the public address and the address of the connection are always allowed',
    ),
  RECOLLECT_CORS_ORIGINS: z
    .string()
    .max(MAX_LIST_TEXT)
    .default('')
    .describe(
      'Origins of pages that browsers let use the API, such as `https://app.example.org`, separated by commas; default: none',
    ),
  RECOLLECT_ALLOW_PLAIN_HTTP: z.stringbool().default(false).describe('Allow listening beyond loopback without TLS'),
  RECOLLECT_TRUST_PROXY: z
    .string()
    .default('')
    .describe(
      'Addresses of reverse proxies as CIDRs separated by commas, such as `127.0.0.1/32`: their requests never count as local. Unless RECOLLECT_HTTP_HOST is on loopback, only ranges of private addresses that no client has',
    ),
  RECOLLECT_SCRAPE_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('Bearer token for /metrics of the api, in addition to operators, and of workers'),
};

type Environment = z.output<z.ZodObject<typeof httpEnvironment>>;

/** Returns the settings of the api's listener. */
export function httpConfig(env: Environment) {
  return {
    host: env.RECOLLECT_HTTP_HOST,
    port: env.RECOLLECT_HTTP_PORT,
    allowPlain: env.RECOLLECT_ALLOW_PLAIN_HTTP,
    tls:
      env.RECOLLECT_TLS_CERT_FILE === undefined || env.RECOLLECT_TLS_KEY_FILE === undefined
        ? null
        : { certFile: env.RECOLLECT_TLS_CERT_FILE, keyFile: env.RECOLLECT_TLS_KEY_FILE },
    isTlsComplete: (env.RECOLLECT_TLS_CERT_FILE === undefined) === (env.RECOLLECT_TLS_KEY_FILE === undefined),
    publicUrl: env.RECOLLECT_PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    allowedHosts: listOf(env.RECOLLECT_ALLOWED_HOSTS).map((host) => host.toLowerCase()),
    corsOrigins: listOf(env.RECOLLECT_CORS_ORIGINS),
    trustProxy: listOf(env.RECOLLECT_TRUST_PROXY),
    scrapeToken: env.RECOLLECT_SCRAPE_TOKEN,
  };
}

/** Returns true for an IPv4 or IPv6 CIDR of at least 8 bits. */
function isCidr(text: string): boolean {
  const [network = '', bits = '', ...rest] = text.split('/');
  const maxBits = { 0: 0, 4: 32, 6: 128 }[isIP(network)] ?? 0;
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) >= 8 && Number(bits) <= maxBits;
}

/** Private ranges (RFC 1918, RFC 6598, RFC 4193) as CIDRs that are within one of them. */
const PRIVATE_CIDR = [
  /^10\.[\d.]+\/(?:[89]|[12]\d|3[0-2])$/,
  /^172\.(?:1[6-9]|2\d|3[01])\.[\d.]+\/(?:1[2-9]|2\d|3[0-2])$/,
  /^192\.168\.[\d.]+\/(?:1[6-9]|2\d|3[0-2])$/,
  /^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.[\d.]+\/(?:1\d|2\d|3[0-2])$/,
  /^f[cd][0-9a-f]{2}:[0-9a-f:]*\/(?:[89]|[1-9]\d|1[01]\d|12[0-8])$/i,
] as const;

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/;

/** Returns true for `https://name` or `https://name:port` as browsers send it: without path, and without the default port. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text && !text.includes('*');
}

/** Returns the contradictions of the settings of the listener. */
export function httpFaults(http: ReturnType<typeof httpConfig>): Fault[] {
  const faults: Fault[] = [];
  const isLocal = isLoopbackHost(http.host);
  if (!http.trustProxy.every(isCidr))
    faults.push(['RECOLLECT_TRUST_PROXY', 'must be a list of CIDRs such as 127.0.0.1/32, without host names']);
  if (!isLocal && !http.trustProxy.every((cidr) => PRIVATE_CIDR.some((range) => range.test(cidr))))
    faults.push([
      'RECOLLECT_TRUST_PROXY',
      'must be ranges of private addresses, such as 10.0.0.0/24, unless RECOLLECT_HTTP_HOST is on loopback: clients in a range could forge their address',
    ]);
  if (!http.isTlsComplete) faults.push(['RECOLLECT_TLS_KEY_FILE', 'must be set together with RECOLLECT_TLS_CERT_FILE']);
  if (!isLocal && http.tls === null && !http.allowPlain)
    faults.push([
      'RECOLLECT_HTTP_HOST',
      'is not loopback: set RECOLLECT_TLS_CERT_FILE and RECOLLECT_TLS_KEY_FILE, or RECOLLECT_ALLOW_PLAIN_HTTP=true for plain HTTP',
    ]);
  if (!http.allowedHosts.every((host) => HOST_NAME.test(host) || isIP(host) !== 0))
    faults.push(['RECOLLECT_ALLOWED_HOSTS', 'must be names or addresses without ports and wildcards']);
  if (!http.corsOrigins.every(isOrigin))
    faults.push([
      'RECOLLECT_CORS_ORIGINS',
      'must be origins such as https://app.example.org, without path, wildcard and default port',
    ]);
  return faults;
}
