import { z } from 'zod';
import { isLoopbackHost, listOf } from './rules.ts';

const MAX_LIST_TEXT = 4_096;

/** Settings of the authorization server for MCP clients. */
export const oauthEnvironment = {
  RECOLLECT_OAUTH: z
    .stringbool()
    .default(false)
    .describe(
      'Serve OAuth 2.1 for `/mcp`: users log in and consent in a browser, and MCP clients need no key. Requires RECOLLECT_PUBLIC_URL beyond loopback',
    ),
  RECOLLECT_OAUTH_REGISTRATION: z
    .stringbool()
    .default(false)
    .describe('Accept dynamic registration (RFC 7591), for MCP clients without a client id metadata document'),
  RECOLLECT_OAUTH_PRIVATE_CLIENT_HOSTS: z
    .string()
    .max(MAX_LIST_TEXT)
    .default('')
    .describe(
      'Hosts, separated by commas, whose client id metadata documents the api fetches from private addresses; other hosts need public addresses',
    ),
};

type Environment = z.output<z.ZodObject<typeof oauthEnvironment>>;

/** Where the api listens, and its address for users. */
interface ApiAddress {
  readonly host: string;
  readonly port: number;
  readonly hasTls: boolean;
  readonly publicUrl: string | undefined;
}

/** Returns the origin of the api for users; null if it depends on a port that is not known yet, or if it has a path. */
function originOf({ host, port, hasTls, publicUrl }: ApiAddress): string | null {
  const scheme = hasTls ? 'https' : 'http';
  const name = host.includes(':') ? `[${host}]` : host;
  const url = new URL(publicUrl ?? `${scheme}://${name}:${port}`);
  if (publicUrl === undefined && (port === 0 || !isLoopbackHost(url.hostname))) return null;
  return url.pathname === '/' && url.search === '' && url.hash === '' ? url.origin : null;
}

/** Returns the settings of the authorization server; null if it is off. `origin` is empty if the address of the api is unsuitable. */
export function oauthConfig(env: Environment, address: ApiAddress) {
  if (!env.RECOLLECT_OAUTH) return null;
  return {
    origin: originOf(address) ?? '',
    registration: env.RECOLLECT_OAUTH_REGISTRATION,
    privateClientHosts: listOf(env.RECOLLECT_OAUTH_PRIVATE_CLIENT_HOSTS.toLowerCase()),
  };
}

export type OauthConfig = NonNullable<ReturnType<typeof oauthConfig>>;

/** Returns the fault of the settings; null if they are consistent. */
export function faultOfOauth(oauth: OauthConfig | null): string | null {
  if (oauth === null) return null;
  if (oauth.origin === '') return 'requires RECOLLECT_PUBLIC_URL, without a path';
  const { protocol, hostname } = new URL(oauth.origin);
  return protocol === 'https:' || isLoopbackHost(hostname)
    ? null
    : 'requires a RECOLLECT_PUBLIC_URL with https: log-in over plain HTTP reveals passwords';
}
