import { existsSync } from 'node:fs';
import path from 'node:path';
import { MIGRATION_SETTINGS, transcriptFolder } from '../../config/config.ts';
import { type Environment, NO_TELEMETRY, SYSTEM_NAMES } from '../../config/process-environment.ts';
import type { Instance } from './instance.ts';
import type { Secrets } from './secrets.ts';

export const DATABASE_NAME = 'recollect';
const HOST = '127.0.0.1';
const DEFAULT_TEMPORAL_NAMESPACE = 'recollect';

const PASSED_PREFIXES = ['RECOLLECT_', 'ANTHROPIC_', 'OTEL_', 'ORT_', 'LC_', 'SSL_', 'NODE_'];
const PASSED_NAMES = new Set<string>([
  ...SYSTEM_NAMES,
  'LANGUAGE',
  // Go's collector: Temporal's processor time against its memory.
  'GOGC',
  'CLAUDE_CONFIG_DIR',
]);
const NEVER_PASSED: ReadonlySet<string> = new Set(MIGRATION_SETTINGS);

/** Returns a PostgreSQL URL for a login role of the instance's server. */
export function databaseUrl(
  instance: Instance,
  role: string,
  password: string,
  database: string = DATABASE_NAME,
): string {
  return `postgresql://${encodeURIComponent(role)}:${encodeURIComponent(password)}@${HOST}:${instance.ports.postgres}/${encodeURIComponent(database)}`;
}

export function superuserUrl(instance: Instance): string {
  return databaseUrl(instance, 'postgres', instance.secrets.postgresSuperuser, 'postgres');
}

export function maintenanceDatabaseUrl(instance: Instance): string {
  return databaseUrl(instance, 'recollect_maintenance', instance.secrets.postgresMaintenance);
}

/** Returns the URL of the database `postgres` for the role that creates databases. */
export function restoreDatabaseUrl(instance: Instance): string {
  return databaseUrl(instance, 'recollect_restore', instance.secrets.postgresRestore, 'postgres');
}

export function temporalAddress(instance: Instance): string {
  return `${HOST}:${instance.ports.temporalFrontend}`;
}

export function temporalNamespace(environment: Environment): string {
  return environment['RECOLLECT_TEMPORAL_NAMESPACE'] || DEFAULT_TEMPORAL_NAMESPACE;
}

export function weaviateUrl(instance: Instance): string {
  return `http://${HOST}:${instance.ports.weaviateHttp}`;
}

export function httpHost(environment: Environment): string {
  return environment['RECOLLECT_HTTP_HOST'] || HOST;
}

/** Returns the API's address: the public one if it is set, which a certificate names, else that on this machine. */
export function apiUrl(instance: Instance, environment: Environment): string {
  const { RECOLLECT_PUBLIC_URL: publicUrl, RECOLLECT_TLS_CERT_FILE: certFile } = environment;
  if (publicUrl) return publicUrl.replace(/\/+$/, '');
  const host = httpHost(environment);
  const reachable = host === '0.0.0.0' || host === '::' ? HOST : host;
  return `${certFile ? 'https' : 'http'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${instance.ports.api}`;
}

/** Variables that children inherit: of Recollect, the model provider, telemetry, and those that programs need. */
export function passedEnvironment(parent: Environment): Record<string, string> {
  const passed: Record<string, string> = { ...NO_TELEMETRY };
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || NEVER_PASSED.has(name)) continue;
    if (PASSED_NAMES.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix))) passed[name] = value;
  }
  return passed;
}

/** Returns the environment of a program without Recollect's settings and keys. */
export function programEnvironment(parent: Environment): Record<string, string> {
  const passed = Object.entries(passedEnvironment(parent)).filter(
    ([name]) => !/^(?:RECOLLECT_|ANTHROPIC_|OTEL_|ORT_|NODE_)/.test(name),
  );
  return Object.fromEntries(passed);
}

/** Disables Weaviate's check for Google's cloud, which contacts another machine. */
const NOWHERE = '127.0.0.1:9';

/** Returns the environment of an engine. */
export function engineEnvironment(parent: Environment): Record<string, string> {
  return { ...programEnvironment(parent), GCE_METADATA_HOST: NOWHERE };
}

/** PKCS #8 prefix of a 32-byte Ed25519 key (RFC 8410). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Returns the signing key of backups in the form of the setting: PKCS #8 DER in base64. */
function backupSigningKey(seed: string): string {
  return Buffer.concat([ED25519_PKCS8, Buffer.from(seed, 'base64url')]).toString('base64');
}

/** Returns the setting of the keys that seal secrets: the instance's own, unless the operator sets others. */
function secretKeys({ sealing, newerSealing }: Secrets, parent: Environment): Record<string, string> {
  if (parent['RECOLLECT_SECRET_KEYS_FILE']) return {};
  const first = `first:${Buffer.from(sealing, 'base64url').toString('base64')}`;
  return { RECOLLECT_SECRET_KEYS: newerSealing === undefined ? first : `${newerSealing},${first}` };
}

/** Returns the environment of worker and API. The instance's values override the parent's. */
export function instanceEnvironment(instance: Instance, parent: Environment, cacheDir: string): Record<string, string> {
  return {
    // With Claude Code on this machine, its transcripts contain events that hooks missed.
    RECOLLECT_TRANSCRIPTS: existsSync(transcriptFolder(parent['CLAUDE_CONFIG_DIR'])) ? 'known' : 'off',
    RECOLLECT_SCRAPE_TOKEN: instance.secrets.scrapeToken,
    RECOLLECT_BACKUP_SIGNING_KEY: backupSigningKey(instance.secrets.backupSigning),
    ...secretKeys(instance.secrets, parent),
    RECOLLECT_ARCHIVE_STORE: path.join(instance.layout.dataDir, 'archive'),
    RECOLLECT_BACKUP_STORE: path.join(instance.layout.dataDir, 'backups'),
    ...passedEnvironment(parent),
    RECOLLECT_DATA_DIR: instance.layout.dataDir,
    RECOLLECT_DATABASE_URL: databaseUrl(instance, 'recollect_app', instance.secrets.postgresApp),
    RECOLLECT_MAINTENANCE_DATABASE_URL: maintenanceDatabaseUrl(instance),
    RECOLLECT_RESTORE_DATABASE_URL: restoreDatabaseUrl(instance),
    RECOLLECT_TEMPORAL_ADDRESS: temporalAddress(instance),
    RECOLLECT_TEMPORAL_NAMESPACE: temporalNamespace(parent),
    RECOLLECT_WORKER_METRICS_PORT: String(instance.ports.workerMetrics),
    RECOLLECT_WEAVIATE_URL: weaviateUrl(instance),
    RECOLLECT_WEAVIATE_GRPC_PORT: String(instance.ports.weaviateGrpc),
    RECOLLECT_WEAVIATE_API_KEY: instance.secrets.weaviateApiKey,
    RECOLLECT_HTTP_HOST: httpHost(parent),
    RECOLLECT_HTTP_PORT: String(instance.ports.api),
    RECOLLECT_CACHE_DIR: cacheDir,
  };
}
