import { existsSync } from 'node:fs';
import path from 'node:path';
import { transcriptFolder } from '../../config/config.ts';
import { type Environment, NO_TELEMETRY } from '../../config/process-environment.ts';
import type { Instance } from './instance.ts';

export const DATABASE_NAME = 'recollect';
const HOST = '127.0.0.1';
const DEFAULT_TEMPORAL_NAMESPACE = 'recollect';

const PASSED_PREFIXES = ['RECOLLECT_', 'ANTHROPIC_', 'OTEL_', 'ORT_', 'LC_', 'SSL_', 'NODE_'];
const PASSED_NAMES = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'CLAUDE_CONFIG_DIR',
]);
/** Only migrations may act as the owner of the tables: row-level security does not bind it everywhere. */
const NEVER_PASSED = new Set(['RECOLLECT_OWNER_DATABASE_URL']);

/** A PostgreSQL URL for a login role of the instance's own server. */
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

/** As the role that makes databases; of the database that every server has. */
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

/** Where a person or a hook on this machine reaches the API. */
export function apiUrl(instance: Instance, environment: Environment): string {
  const host = httpHost(environment);
  const reachable = host === '0.0.0.0' || host === '::' ? HOST : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${instance.ports.api}`;
}

/** The parent's variables that a child may see: Recollect's, the model provider's, and what a program needs to run at all. No telemetry unless the parent asks for it. */
export function passedEnvironment(parent: Environment): Record<string, string> {
  const passed: Record<string, string> = { ...NO_TELEMETRY };
  for (const [name, value] of Object.entries(parent)) {
    if (value === undefined || NEVER_PASSED.has(name)) continue;
    if (PASSED_NAMES.has(name) || PASSED_PREFIXES.some((prefix) => name.startsWith(prefix))) passed[name] = value;
  }
  return passed;
}

/** What a program gets to see that takes its settings from its arguments: no settings and no keys of ours. */
export function programEnvironment(parent: Environment): Record<string, string> {
  const passed = Object.entries(passedEnvironment(parent)).filter(
    ([name]) => !/^(?:RECOLLECT_|ANTHROPIC_|OTEL_|ORT_|NODE_)/.test(name),
  );
  return Object.fromEntries(passed);
}

/** Weaviate asks at every start whether it runs in Google's cloud, at an address beyond this machine; here nobody answers. */
const NOWHERE = '127.0.0.1:9';

/** What an engine gets to see. */
export function engineEnvironment(parent: Environment): Record<string, string> {
  return { ...programEnvironment(parent), GCE_METADATA_HOST: NOWHERE };
}

/** What PKCS #8 puts before the 32 bytes of an Ed25519 key (RFC 8410). */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key that signs this instance's backups, as settings take it: PKCS #8 DER in base64. */
function backupSigningKey(seed: string): string {
  return Buffer.concat([ED25519_PKCS8, Buffer.from(seed, 'base64url')]).toString('base64');
}

/** The environment of the worker and the API of an embedded instance. What the instance decides wins over the parent's. */
export function instanceEnvironment(instance: Instance, parent: Environment, cacheDir: string): Record<string, string> {
  return {
    // On a machine where Claude Code runs, what hooks missed is found in its transcripts.
    RECOLLECT_TRANSCRIPTS: existsSync(transcriptFolder(parent['CLAUDE_CONFIG_DIR'])) ? 'known' : 'off',
    RECOLLECT_BACKUP_SIGNING_KEY: backupSigningKey(instance.secrets.backupSigning),
    RECOLLECT_ARCHIVE_STORE: path.join(instance.layout.dataDir, 'archive'),
    RECOLLECT_BACKUP_STORE: path.join(instance.layout.dataDir, 'backups'),
    ...passedEnvironment(parent),
    RECOLLECT_DATA_DIR: instance.layout.dataDir,
    RECOLLECT_DATABASE_URL: databaseUrl(instance, 'recollect_app', instance.secrets.postgresApp),
    RECOLLECT_MAINTENANCE_DATABASE_URL: maintenanceDatabaseUrl(instance),
    RECOLLECT_RESTORE_DATABASE_URL: restoreDatabaseUrl(instance),
    RECOLLECT_TEMPORAL_ADDRESS: temporalAddress(instance),
    RECOLLECT_TEMPORAL_NAMESPACE: temporalNamespace(parent),
    RECOLLECT_WEAVIATE_URL: weaviateUrl(instance),
    RECOLLECT_WEAVIATE_GRPC_PORT: String(instance.ports.weaviateGrpc),
    RECOLLECT_WEAVIATE_API_KEY: instance.secrets.weaviateApiKey,
    RECOLLECT_HTTP_HOST: httpHost(parent),
    RECOLLECT_HTTP_PORT: String(instance.ports.api),
    RECOLLECT_CACHE_DIR: cacheDir,
  };
}
