import { isIP } from 'node:net';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { archiveConfig, archiveEnvironment } from './archive-settings.ts';
import { backupConfig, backupEnvironment } from './backup-settings.ts';
import { contextConfig, contextEnvironment } from './context-settings.ts';
import { embeddingConfig, embeddingEnvironment } from './embedding-settings.ts';
import { modelConfig, modelEnvironment } from './model-settings.ts';
import { SCHEDULE_NAMES, scheduleConfig, scheduleEnvironment } from './schedule-settings.ts';
import { searchConfig, searchEnvironment } from './search-settings.ts';

/** Queues a worker process may serve; `workflows/queues.ts` says what each is for. */
export const WORKER_QUEUES = ['session', 'model', 'embedding', 'sweeps', 'maintenance', 'transcripts'] as const;
export type WorkerQueue = (typeof WORKER_QUEUES)[number];

const positiveInt = z.coerce.number().int().positive();

/** Every setting that the environment can give, with its default: the table in docs/configuration.md is made from this. */
export const environmentSchema = z.object({
  RECOLLECT_DATABASE_URL: z.url().describe('PostgreSQL as the application role; policies bind it'),
  RECOLLECT_MAINTENANCE_DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'PostgreSQL as the maintenance role, which sees every tenant; for workers of the queues `maintenance` and `sweeps` alone',
    ),
  RECOLLECT_RESTORE_DATABASE_URL: z
    .url()
    .optional()
    .describe(
      'PostgreSQL as the role that makes databases, of the database `postgres`; for restores and drills, for workers of the maintenance queue alone',
    ),
  RECOLLECT_DB_POOL_MAX: positiveInt.max(200).default(10).describe('Connections a process may open'),
  RECOLLECT_DB_CONNECT_TIMEOUT_MS: positiveInt.default(5_000).describe('How long a query waits for a free connection'),
  RECOLLECT_DB_STATEMENT_TIMEOUT_MS: positiveInt.default(30_000).describe('A statement that runs longer is ended'),
  RECOLLECT_TEMPORAL_ADDRESS: z.string().min(3).describe('host:port of the Temporal frontend'),
  RECOLLECT_TEMPORAL_NAMESPACE: z.string().min(1).default('recollect').describe('Temporal namespace'),
  RECOLLECT_WEAVIATE_URL: z.url().describe('Weaviate, REST'),
  RECOLLECT_WEAVIATE_GRPC_PORT: positiveInt.max(65_535).describe('Weaviate, gRPC port on the same host'),
  RECOLLECT_WEAVIATE_API_KEY: z.string().min(1).describe('Weaviate, key'),
  RECOLLECT_WEAVIATE_QUANTIZATION: z
    .enum(['none', 'rq'])
    .default('none')
    .describe(
      'How vectors are kept in memory, of indexes that are made from then on: exact, or rotated to 8 bits a number',
    ),
  RECOLLECT_HTTP_HOST: z.string().default('127.0.0.1').describe('Address that the api listens on'),
  RECOLLECT_HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(37_700)
    .describe('Port that the api listens on'),
  RECOLLECT_ALLOW_PLAIN_HTTP: z.stringbool().default(false).describe('Listen beyond loopback without TLS'),
  RECOLLECT_TRUST_PROXY: z
    .string()
    .default('')
    .describe(
      'Addresses that reverse proxies connect from, as CIDRs joined by commas, such as `127.0.0.1/32`: requests from there never count as local. Needs RECOLLECT_HTTP_HOST on loopback',
    ),
  RECOLLECT_SCRAPE_TOKEN: z.string().min(16).optional().describe('Bearer token that may read /metrics, beside admins'),
  RECOLLECT_USERS_VERIFY: z
    .stringbool()
    .default(false)
    .describe('Users may verify learnings, which keeps sessions from closing them; else admins alone'),
  RECOLLECT_CACHE_DIR: z.string().min(1).describe('Where engines and model files are kept'),
  ...embeddingEnvironment,
  ...modelEnvironment,
  RECOLLECT_WINDOW_TOKENS: positiveInt.default(6_000).describe('A window closes at this size'),
  RECOLLECT_WINDOW_TURN_TOKENS: positiveInt.default(1_500).describe('A turn’s end closes a window of this size'),
  RECOLLECT_WINDOW_QUIET_MS: positiveInt.default(120_000).describe('A window closes after this long without an event'),
  RECOLLECT_WINDOW_MAX_AGE_MS: positiveInt.default(900_000).describe('A window closes at this age'),
  RECOLLECT_SESSION_IDLE_MS: positiveInt
    .default(1_800_000)
    .describe('A session without an event for this long is over'),
  RECOLLECT_SESSION_RETRY_MS: positiveInt
    .default(30_000)
    .describe('First wait when the model’s provider is away; doubles up to ten minutes'),
  RECOLLECT_SWEEP_INTERVAL_MS: positiveInt
    .default(60_000)
    .describe('How often captures are looked for whose workflow was never told'),
  RECOLLECT_HINT_DELAY_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe('How long hints of one session are gathered; boundaries go at once'),
  RECOLLECT_TRANSCRIPTS: z
    .enum(['off', 'known', 'all'])
    .default('off')
    .describe(
      'Transcripts of Claude Code on this machine that are read as they grow: none, those of sessions that hooks opened, or all. `npm start` sets `known` where the folder exists',
    ),
  RECOLLECT_TRANSCRIPT_ROOTS: z
    .string()
    .optional()
    .describe(
      'Folders, joined by colons, that an import may read on the server; default: the transcripts of the user who runs it',
    ),
  RECOLLECT_CLAUDE_MEM_ROOTS: z
    .string()
    .optional()
    .describe(
      'Folders, joined by colons, whose claude-mem databases an import may read on the server; default: `.claude-mem` in the home of the user who runs it',
    ),
  RECOLLECT_TRANSCRIPT_QUIET_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400_000)
    .default(60_000)
    .describe(
      'A transcript that was written to less long ago waits, so that what hooks have on their way arrives first',
    ),
  CLAUDE_CONFIG_DIR: z
    .string()
    .optional()
    .describe('Where Claude Code keeps its files; default: `.claude` in the home of the user'),
  RECOLLECT_CAPTURE_EXCLUDE: z
    .string()
    .max(16_384)
    .default('')
    .describe('Folders that nobody’s capture stores: globs joined by commas, `~` for any home'),
  ...searchEnvironment,
  ...contextEnvironment,
  ...archiveEnvironment,
  ...backupEnvironment,
  ...scheduleEnvironment,
  RECOLLECT_SHUTDOWN_GRACE_MS: positiveInt
    .default(10_000)
    .describe('How long a process may finish its work when told to stop'),
  RECOLLECT_WORKER_QUEUES: z
    .string()
    .default(WORKER_QUEUES.join(','))
    .describe('Task queues that a worker process serves'),
  RECOLLECT_BUILD_ID: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Build id of the worker; default: the package’s version and the mark of its workflow code'),
  RECOLLECT_WORKER_NICENESS: z.coerce
    .number()
    .int()
    .min(0)
    .max(19)
    .default(19)
    .describe('How far a worker process stands back for others on its machine: 0 not at all, 19 as far as it goes'),
  RECOLLECT_FULL_VALUES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder where values that capture cuts are kept whole, after redaction; unset: they are not kept'),
  RECOLLECT_WORKER_PROMOTE: z
    .stringbool()
    .default(true)
    .describe('A worker that starts makes its build the one that gets workflow tasks; off where a rollout does that'),
  RECOLLECT_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least level that is logged'),
});

/** Where Claude Code keeps the transcripts of this user. */
export function transcriptFolder(claudeConfigDir: string | undefined): string {
  return path.resolve(claudeConfigDir || path.join(homedir(), '.claude'), 'projects');
}

/** Where claude-mem keeps the database of this user. */
export function claudeMemFolder(): string {
  return path.join(homedir(), '.claude-mem');
}

function rootsOf(given: string | undefined, standard: string): string[] {
  const named = (given ?? '').split(path.delimiter).filter((root) => root !== '');
  return named.length > 0 ? named : [standard];
}

/** One address or network of either family; all addresses at once are none. */
function isCidr(text: string): boolean {
  const [network = '', bits = '', ...rest] = text.split('/');
  const most = { 0: 0, 4: 32, 6: 128 }[isIP(network)] ?? 0;
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) >= 8 && Number(bits) <= most;
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

const configSchema = environmentSchema
  .transform((env) => ({
    database: {
      url: env.RECOLLECT_DATABASE_URL,
      maintenanceUrl: env.RECOLLECT_MAINTENANCE_DATABASE_URL,
      restoreUrl: env.RECOLLECT_RESTORE_DATABASE_URL,
      poolMax: env.RECOLLECT_DB_POOL_MAX,
      connectTimeoutMs: env.RECOLLECT_DB_CONNECT_TIMEOUT_MS,
      statementTimeoutMs: env.RECOLLECT_DB_STATEMENT_TIMEOUT_MS,
    },
    temporal: { address: env.RECOLLECT_TEMPORAL_ADDRESS, namespace: env.RECOLLECT_TEMPORAL_NAMESPACE },
    weaviate: {
      url: env.RECOLLECT_WEAVIATE_URL,
      grpcPort: env.RECOLLECT_WEAVIATE_GRPC_PORT,
      apiKey: env.RECOLLECT_WEAVIATE_API_KEY,
      quantization: env.RECOLLECT_WEAVIATE_QUANTIZATION,
    },
    http: {
      host: env.RECOLLECT_HTTP_HOST,
      port: env.RECOLLECT_HTTP_PORT,
      allowPlain: env.RECOLLECT_ALLOW_PLAIN_HTTP,
      trustProxy: env.RECOLLECT_TRUST_PROXY.split(',')
        .map((cidr) => cidr.trim())
        .filter((cidr) => cidr !== ''),
      scrapeToken: env.RECOLLECT_SCRAPE_TOKEN,
    },
    usersVerify: env.RECOLLECT_USERS_VERIFY,
    cacheDir: env.RECOLLECT_CACHE_DIR,
    embedding: embeddingConfig(env),
    model: modelConfig(env),
    session: {
      windowTokens: env.RECOLLECT_WINDOW_TOKENS,
      turnTokens: env.RECOLLECT_WINDOW_TURN_TOKENS,
      quietMs: env.RECOLLECT_WINDOW_QUIET_MS,
      maxAgeMs: env.RECOLLECT_WINDOW_MAX_AGE_MS,
      idleMs: env.RECOLLECT_SESSION_IDLE_MS,
      retryMs: env.RECOLLECT_SESSION_RETRY_MS,
      ...(env.RECOLLECT_MODEL_MODE === 'batch' ? { mode: env.RECOLLECT_MODEL_MODE } : {}),
    },
    fullValuesDir: env.RECOLLECT_FULL_VALUES_DIR,
    sweepIntervalMs: env.RECOLLECT_SWEEP_INTERVAL_MS,
    hintDelayMs: env.RECOLLECT_HINT_DELAY_MS,
    captureExclude: env.RECOLLECT_CAPTURE_EXCLUDE.split(',')
      .map((glob) => glob.trim())
      .filter((glob) => glob !== ''),
    transcripts: {
      mode: env.RECOLLECT_TRANSCRIPTS,
      roots: rootsOf(env.RECOLLECT_TRANSCRIPT_ROOTS, transcriptFolder(env.CLAUDE_CONFIG_DIR)),
      quietMs: env.RECOLLECT_TRANSCRIPT_QUIET_MS,
    },
    claudeMem: { roots: rootsOf(env.RECOLLECT_CLAUDE_MEM_ROOTS, claudeMemFolder()) },
    search: searchConfig(env),
    context: contextConfig(env),
    ...archiveConfig(env),
    backups: backupConfig(env),
    ...scheduleConfig(env),
    shutdownGraceMs: env.RECOLLECT_SHUTDOWN_GRACE_MS,
    worker: {
      queues: env.RECOLLECT_WORKER_QUEUES.split(',').map((queue) => queue.trim()),
      buildId: env.RECOLLECT_BUILD_ID,
      promote: env.RECOLLECT_WORKER_PROMOTE,
      niceness: env.RECOLLECT_WORKER_NICENESS,
    },
    logLevel: env.RECOLLECT_LOG_LEVEL,
  }))
  .superRefine((config, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (config.model.lane === 'batch' && config.model.provider === 'local')
      refuse(
        'RECOLLECT_MODEL_MODE',
        'RECOLLECT_MODEL_MODE=batch needs RECOLLECT_MODEL_PROVIDER=anthropic: the local model has no batches',
      );
    if (config.model.userConcurrency > config.model.concurrency)
      refuse('RECOLLECT_MODEL_USER_CONCURRENCY', 'must not be more than RECOLLECT_MODEL_CONCURRENCY');
    if (config.embedding.provider === 'http' && config.embedding.http === null)
      refuse(
        'RECOLLECT_EMBEDDING_PROVIDER',
        'http needs RECOLLECT_EMBEDDING_URL, RECOLLECT_EMBEDDING_MODEL and RECOLLECT_EMBEDDING_DIMENSION',
      );
    // The stable prefix takes somewhat over half of the default; less than this left no room for what is to be summarised.
    if (config.model.provider === 'anthropic' && config.model.requestTokens < 5_500 + config.model.maxOutputTokens)
      refuse('RECOLLECT_MODEL_MAX_REQUEST_TOKENS', 'must be at least 5500 more than RECOLLECT_MODEL_MAX_OUTPUT_TOKENS');
    if (config.session.turnTokens > config.session.windowTokens)
      refuse('RECOLLECT_WINDOW_TURN_TOKENS', 'must not be more than RECOLLECT_WINDOW_TOKENS');
    if (config.session.quietMs > config.session.idleMs)
      refuse('RECOLLECT_WINDOW_QUIET_MS', 'must not be more than RECOLLECT_SESSION_IDLE_MS');
    if (!config.http.trustProxy.every(isCidr)) {
      const message = 'is a list of CIDRs such as 127.0.0.1/32, without `true` and without names';
      context.addIssue({ code: 'custom', path: ['RECOLLECT_TRUST_PROXY'], message });
    }
    if (config.http.trustProxy.length > 0 && !LOOPBACK.has(config.http.host)) {
      const message = 'needs RECOLLECT_HTTP_HOST on loopback: elsewhere a client could connect past the proxy';
      context.addIssue({ code: 'custom', path: ['RECOLLECT_TRUST_PROXY'], message });
    }
    if (!LOOPBACK.has(config.http.host) && !config.http.allowPlain)
      refuse('RECOLLECT_HTTP_HOST', 'is beyond loopback: plain HTTP there needs RECOLLECT_ALLOW_PLAIN_HTTP=true');
    if (config.backups.keys.length > 0 && config.backups.keyFile !== null)
      refuse('RECOLLECT_BACKUP_KEY_FILE', 'must not be given beside RECOLLECT_BACKUP_KEY');
    if (!config.schedules.paused.every((name) => SCHEDULE_NAMES.some((known) => known === name)))
      refuse('RECOLLECT_SCHEDULES_PAUSED', `knows only ${SCHEDULE_NAMES.join(', ')}`);
    if (!config.s3.isWhole)
      refuse('RECOLLECT_S3_SECRET_ACCESS_KEY', 'and RECOLLECT_S3_ACCESS_KEY_ID are given together or not at all');
    if (!config.transcripts.roots.every((root) => path.isAbsolute(root)))
      refuse('RECOLLECT_TRANSCRIPT_ROOTS', 'must hold absolute paths');
    if (!config.claudeMem.roots.every((root) => path.isAbsolute(root)))
      refuse('RECOLLECT_CLAUDE_MEM_ROOTS', 'must hold absolute paths');
    const unknown = config.worker.queues.filter((queue) => !WORKER_QUEUES.some((known) => known === queue));
    if (unknown.length > 0) refuse('RECOLLECT_WORKER_QUEUES', `knows only ${WORKER_QUEUES.join(', ')}`);
  });

export type Config = Readonly<z.output<typeof configSchema>>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Whoever makes model calls. The api makes none, and is not given the provider's key. */
const callerSchema = configSchema.superRefine(({ model }, context) => {
  if (model.provider !== 'anthropic' || model.apiKey !== undefined) return;
  const message = 'is needed where RECOLLECT_MODEL_PROVIDER=anthropic';
  context.addIssue({ code: 'custom', path: ['ANTHROPIC_API_KEY'], message });
});

/**
 * Settings that open what the api must never open: databases across tenants, the model provider, backup sets. The api process gets none of them, and ignores those
 * that its environment has all the same.
 */
export const WORKER_SETTINGS = [
  'RECOLLECT_MAINTENANCE_DATABASE_URL',
  'RECOLLECT_RESTORE_DATABASE_URL',
  'RECOLLECT_BACKUP_KEY',
  'RECOLLECT_BACKUP_KEY_FILE',
  'RECOLLECT_BACKUP_SIGNING_KEY',
  'RECOLLECT_BACKUP_TRUSTED_KEYS',
  'ANTHROPIC_API_KEY',
] as const satisfies readonly (keyof typeof environmentSchema.shape)[];

const workerSettings: ReadonlySet<string> = new Set(WORKER_SETTINGS);

/** An environment without the settings that only workers get. */
export function withoutWorkerSettings<Value>(environment: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !workerSettings.has(name)));
}

/** Reads the whole configuration of the api process once. @throws ConfigError that names every setting at fault and no value. */
export function parseApiConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return parseWith(configSchema, withoutWorkerSettings(environment));
}

/** Reads the whole configuration of a worker process once. @throws ConfigError that names every setting at fault and no value. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return parseWith(callerSchema, environment);
}

function parseWith(schema: typeof configSchema, environment: Readonly<Record<string, string | undefined>>): Config {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}
