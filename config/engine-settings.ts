import { X509Certificate } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { z } from 'zod';
import { isLoopbackHost } from './rules.ts';
import type { Fault } from './rules.ts';

const positiveInt = z.coerce.number().int().positive();
const file = z.string().min(1).max(4_096).optional();

/** Settings of PostgreSQL, Temporal and Weaviate. */
export const engineEnvironment = {
  RECOLLECT_DATABASE_URL: z.url().describe('PostgreSQL as the application role, which row-level security restricts'),
  RECOLLECT_MAINTENANCE_DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'PostgreSQL as the maintenance role, which reads every tenant; only for workers of the queues `maintenance` and `sweeps`',
    ),
  RECOLLECT_RESTORE_DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'Database `postgres` as the role that creates databases for restores and drills; only for workers of the queue `maintenance`',
    ),
  RECOLLECT_OWNER_DATABASE_URL: z
    .url()
    .optional()
    .describe('PostgreSQL as the role that owns the tables; only for `recollect migrate`'),
  RECOLLECT_ADMIN_DATABASE_URL: z
    .url()
    .optional()
    .describe('Database `postgres` as a superuser, which creates roles and database; only for `recollect migrate`'),
  RECOLLECT_DB_POOL_MAX: positiveInt.max(200).default(10).describe('Maximum connections of a process'),
  RECOLLECT_DB_CONNECT_TIMEOUT_MS: positiveInt
    .default(5_000)
    .describe('Timeout of a query for a free connection, in ms'),
  RECOLLECT_DB_STATEMENT_TIMEOUT_MS: positiveInt.default(30_000).describe('Timeout of a statement, in ms'),
  RECOLLECT_TEMPORAL_ADDRESS: z.string().min(3).describe('Temporal frontend as host:port'),
  RECOLLECT_TEMPORAL_NAMESPACE: z
    .string()
    .min(1)
    .max(255)
    .default('recollect')
    .describe('Temporal namespace; `name.account` at Temporal Cloud'),
  RECOLLECT_TEMPORAL_TLS: z.stringbool().default(false).describe('Connect to Temporal with TLS'),
  RECOLLECT_TEMPORAL_TLS_CERT_FILE: file.describe('PEM file with the client certificate for Temporal'),
  RECOLLECT_TEMPORAL_TLS_KEY_FILE: file.describe('PEM file with the private key of this certificate'),
  RECOLLECT_TEMPORAL_TLS_SERVER_NAME: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Name that the certificate of Temporal must have; default: the host of the address'),
  RECOLLECT_TEMPORAL_API_KEY: z
    .string()
    .min(1)
    .max(8_192)
    .optional()
    .describe('API key for Temporal, sent with every request; requires RECOLLECT_TEMPORAL_TLS'),
  RECOLLECT_WEAVIATE_URL: z
    .url({ protocol: /^https?$/ })
    .describe('Weaviate REST address; with `https`, gRPC has TLS, too'),
  RECOLLECT_WEAVIATE_GRPC_HOST: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Host of Weaviate’s gRPC; default: that of the REST address'),
  RECOLLECT_WEAVIATE_GRPC_PORT: positiveInt.max(65_535).describe('Weaviate gRPC port'),
  RECOLLECT_WEAVIATE_API_KEY: z.string().min(1).describe('Weaviate API key'),
  RECOLLECT_WEAVIATE_QUANTIZATION: z
    .enum(['none', 'rq'])
    .default('none')
    .describe('Vectors in memory of new indexes: exact, or rotational quantization to 8 bits per dimension'),
  RECOLLECT_CA_FILE: file.describe(
    'PEM file with certificate authorities that the api and the workers trust in addition to those of Node: for engines, stores and providers',
  ),
  RECOLLECT_ALLOW_PLAIN_ENGINES: z
    .stringbool()
    .default(false)
    .describe('Allow engines beyond loopback without TLS, on a network that no other party can read'),
};

type Environment = z.output<z.ZodObject<typeof engineEnvironment>>;

/** Returns the content of a file; null if it cannot be read. */
function contentOf(path: string | undefined): string | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Returns the certificates of a PEM text; null if it has none, or one that cannot be parsed. */
function certificatesOf(pem: string | null): string[] | null {
  const found = pem?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return found.length === 0 ? null : found.map((certificate) => new X509Certificate(certificate).toString());
  } catch {
    return null;
  }
}

/** Returns the settings of the engines. Passwords, keys and private keys are among them: they must not be logged. */
export function engineConfig(env: Environment) {
  return {
    database: {
      url: env.RECOLLECT_DATABASE_URL,
      maintenanceUrl: env.RECOLLECT_MAINTENANCE_DATABASE_URL,
      restoreUrl: env.RECOLLECT_RESTORE_DATABASE_URL,
      ownerUrl: env.RECOLLECT_OWNER_DATABASE_URL,
      adminUrl: env.RECOLLECT_ADMIN_DATABASE_URL,
      poolMax: env.RECOLLECT_DB_POOL_MAX,
      connectTimeoutMs: env.RECOLLECT_DB_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: env.RECOLLECT_DB_STATEMENT_TIMEOUT_MS,
    },
    temporal: {
      address: env.RECOLLECT_TEMPORAL_ADDRESS,
      namespace: env.RECOLLECT_TEMPORAL_NAMESPACE,
      ...(env.RECOLLECT_TEMPORAL_API_KEY === undefined ? {} : { apiKey: env.RECOLLECT_TEMPORAL_API_KEY }),
      ...(env.RECOLLECT_TEMPORAL_TLS
        ? {
            tls: {
              cert: contentOf(env.RECOLLECT_TEMPORAL_TLS_CERT_FILE),
              key: contentOf(env.RECOLLECT_TEMPORAL_TLS_KEY_FILE),
              serverName: env.RECOLLECT_TEMPORAL_TLS_SERVER_NAME ?? null,
            },
          }
        : {}),
    },
    weaviate: {
      url: env.RECOLLECT_WEAVIATE_URL,
      grpcHost: env.RECOLLECT_WEAVIATE_GRPC_HOST,
      grpcPort: env.RECOLLECT_WEAVIATE_GRPC_PORT,
      apiKey: env.RECOLLECT_WEAVIATE_API_KEY,
      quantization: env.RECOLLECT_WEAVIATE_QUANTIZATION,
    },
    /** Certificates as PEM, for `trustAuthorities`. */
    authorities: certificatesOf(contentOf(env.RECOLLECT_CA_FILE)) ?? [],
  };
}

/**
 * Adds certificate authorities to those that this process trusts by default. Before the first connection; worker threads
 * have their own default.
 */
export function trustAuthorities({ authorities }: { readonly authorities: readonly string[] }): void {
  if (authorities.length > 0) setDefaultCACertificates([...getCACertificates('default'), ...authorities]);
}

const PLAIN = 'is beyond loopback without TLS';
const OR_ALLOW = 'or RECOLLECT_ALLOW_PLAIN_ENGINES=true on a private network';

/** Parameters by which a connection would not verify the server as documented, or not at all. */
const REFUSED_PARAMETERS = ['ssl', 'uselibpqcompat', 'sslnegotiation'];
const FILE_PARAMETERS = ['sslrootcert', 'sslcert', 'sslkey'];

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns false if a part of an address has a `%` that begins no encoded character: the driver decodes these parts. */
function isEncoded({ username, password, hostname, pathname }: URL): boolean {
  try {
    decodeURIComponent([username, password, hostname, pathname].join('/'));
    return true;
  } catch {
    return false;
  }
}

/** Returns the faults of the address of a database. The driver reads TLS from its parameters, as psql does. */
function databaseFaults(setting: string, address: string, allowPlain: boolean): Fault[] {
  const url = URL.parse(address);
  if (url === null) return [];
  if (!isEncoded(url)) return [[setting, 'has a % that begins no encoded character: write %25 for it']];
  const { hostname, searchParams } = url;
  const refused = REFUSED_PARAMETERS.find((name) => searchParams.has(name));
  if (refused !== undefined) return [[setting, `must not have the parameter ${refused}: use sslmode=verify-full`]];
  const mode = searchParams.get('sslmode');
  if (mode !== null && mode !== 'disable' && mode !== 'verify-full')
    return [[setting, 'must have sslmode=verify-full or sslmode=disable: other modes do not verify the server']];
  const files = FILE_PARAMETERS.filter((name) => searchParams.has(name));
  if (files.length > 0 && mode !== 'verify-full') return [[setting, `must have sslmode=verify-full with ${files[0]}`]];
  const unreadable = files.find((name) => !isReadable(searchParams.get(name) ?? ''));
  if (unreadable !== undefined) return [[setting, `names a file in ${unreadable} that cannot be read`]];
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  // A path is a Unix socket.
  const isLocal = host === '' || host.startsWith('/') || isLoopbackHost(host);
  if (mode === 'verify-full' || isLocal || allowPlain) return [];
  return [[setting, `${PLAIN}: add sslmode=verify-full, ${OR_ALLOW}`]];
}

/** Returns the host of `host:port`. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}

/** Returns the contradictions of the settings of the engines. */
export function engineFaults(env: Environment): Fault[] {
  const allowPlain = env.RECOLLECT_ALLOW_PLAIN_ENGINES;
  const faults = (
    [
      'RECOLLECT_DATABASE_URL',
      'RECOLLECT_MAINTENANCE_DATABASE_URL',
      'RECOLLECT_RESTORE_DATABASE_URL',
      'RECOLLECT_OWNER_DATABASE_URL',
      'RECOLLECT_ADMIN_DATABASE_URL',
    ] as const
  ).flatMap((name) => {
    const address = env[name];
    return address === undefined ? [] : databaseFaults(name, address, allowPlain);
  });
  if (!env.RECOLLECT_TEMPORAL_TLS) {
    const lone = (
      [
        'RECOLLECT_TEMPORAL_API_KEY',
        'RECOLLECT_TEMPORAL_TLS_CERT_FILE',
        'RECOLLECT_TEMPORAL_TLS_KEY_FILE',
        'RECOLLECT_TEMPORAL_TLS_SERVER_NAME',
      ] as const
    ).find((name) => env[name] !== undefined);
    if (lone !== undefined) faults.push([lone, 'requires RECOLLECT_TEMPORAL_TLS=true']);
    if (!isLoopbackHost(hostOf(env.RECOLLECT_TEMPORAL_ADDRESS)) && !allowPlain)
      faults.push(['RECOLLECT_TEMPORAL_ADDRESS', `${PLAIN}: set RECOLLECT_TEMPORAL_TLS=true, ${OR_ALLOW}`]);
  }
  const { RECOLLECT_TEMPORAL_TLS_CERT_FILE: certFile, RECOLLECT_TEMPORAL_TLS_KEY_FILE: keyFile } = env;
  if ((certFile === undefined) !== (keyFile === undefined))
    faults.push(['RECOLLECT_TEMPORAL_TLS_KEY_FILE', 'must be set together with RECOLLECT_TEMPORAL_TLS_CERT_FILE']);
  if (certFile !== undefined && certificatesOf(contentOf(certFile)) === null)
    faults.push(['RECOLLECT_TEMPORAL_TLS_CERT_FILE', 'cannot be read, or has no certificate']);
  if (keyFile !== undefined && !isReadable(keyFile)) faults.push(['RECOLLECT_TEMPORAL_TLS_KEY_FILE', 'cannot be read']);
  const weaviate = URL.parse(env.RECOLLECT_WEAVIATE_URL);
  const hosts = [weaviate?.hostname, env.RECOLLECT_WEAVIATE_GRPC_HOST].filter((host) => host !== undefined);
  if (weaviate?.protocol === 'http:' && !hosts.every(isLoopbackHost) && !allowPlain)
    faults.push(['RECOLLECT_WEAVIATE_URL', `${PLAIN}: use https, ${OR_ALLOW}`]);
  const { RECOLLECT_CA_FILE: caFile } = env;
  if (caFile !== undefined && certificatesOf(contentOf(caFile)) === null)
    faults.push(['RECOLLECT_CA_FILE', 'cannot be read, or has no certificate']);
  return faults;
}
