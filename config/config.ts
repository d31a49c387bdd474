import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { archiveConfig, archiveEnvironment } from './archive-settings.ts';
import { backupConfig, backupEnvironment } from './backup-settings.ts';
import { contextConfig, contextEnvironment } from './context-settings.ts';
import { engineConfig, engineEnvironment, engineFaults } from './engine-settings.ts';
import { embeddingConfig, embeddingEnvironment } from './embedding-settings.ts';
import { httpConfig, httpEnvironment, httpFaults } from './http-settings.ts';
import { loginConfig, loginEnvironment } from './login-settings.ts';
import { modelConfig, modelEnvironment } from './model-settings.ts';
import { usesOutside, usesProvider } from './provider-settings.ts';
import { SCHEDULE_NAMES, WORKER_QUEUES } from '../domain/jobs.ts';
import { oauthConfig, oauthEnvironment, faultOfOauth } from './oauth-settings.ts';
import { rateConfig, rateEnvironment } from './rate-settings.ts';
import { scheduleConfig, scheduleEnvironment } from './schedule-settings.ts';
import { streamConfig, streamEnvironment } from './stream-settings.ts';
import { secretConfig, secretEnvironment } from './secret-settings.ts';
import { searchConfig, searchEnvironment } from './search-settings.ts';
import { tracingConfig, tracingEnvironment, tracingFaults } from './tracing-settings.ts';
import { workerMetricsConfig, workerMetricsEnvironment, workerMetricsFaults } from './worker-metrics-settings.ts';

const positiveInt = z.coerce.number().int().positive();

/** All settings with defaults; docs/configuration.md is generated from this schema. */
export const environmentSchema = z.object({
  ...engineEnvironment,
  ...httpEnvironment,
  RECOLLECT_USERS_VERIFY: z
    .stringbool()
    .default(false)
    .describe('Allow users to verify learnings, which sessions then cannot close; else only admins'),
  RECOLLECT_OIDC_PROVIDERS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('JSON file with the OpenID Connect providers whose users may log in; read at the start'),
  RECOLLECT_CACHE_DIR: z.string().min(1).describe('Folder of engines and model files'),
  ...embeddingEnvironment,
  ...modelEnvironment,
  RECOLLECT_WINDOW_TOKENS: positiveInt.default(6_000).describe('Size at which a window closes, in tokens'),
  RECOLLECT_WINDOW_TURN_TOKENS: positiveInt
    .default(1_500)
    .describe('Size at which the end of a turn closes a window, in tokens'),
  RECOLLECT_WINDOW_QUIET_MS: positiveInt
    .default(120_000)
    .describe('Time without an event after which a window closes, in ms'),
  RECOLLECT_WINDOW_MAX_AGE_MS: positiveInt.default(900_000).describe('Age at which a window closes, in ms'),
  RECOLLECT_SESSION_IDLE_MS: positiveInt
    .default(1_800_000)
    .describe('Time without an event after which a session ends, in ms'),
  RECOLLECT_SESSION_RETRY_MS: positiveInt
    .default(30_000)
    .describe('First retry delay while the model provider is unavailable, in ms; exponential up to ten minutes'),
  RECOLLECT_SWEEP_INTERVAL_MS: positiveInt
    .default(60_000)
    .describe('Interval of the sweep that resends lost hints, in ms'),
  RECOLLECT_HINT_DELAY_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(2_000)
    .describe('Time to collect hints of one session, in ms; boundaries are sent at once'),
  RECOLLECT_TRANSCRIPTS: z
    .enum(['off', 'known', 'all'])
    .default('off')
    .describe(
      'Transcripts of Claude Code to follow on this machine: none, those of sessions opened by hooks, or all. `recollect up` sets `known` if the folder exists',
    ),
  RECOLLECT_TRANSCRIPT_ROOTS: z
    .string()
    .optional()
    .describe(
      'Folders, separated by colons, that an import can read on the server; default: the transcripts of the server’s user',
    ),
  RECOLLECT_CLAUDE_MEM_ROOTS: z
    .string()
    .optional()
    .describe(
      'Folders, separated by colons, whose claude-mem databases an import can read on the server; default: `.claude-mem` in the home of the server’s user',
    ),
  RECOLLECT_TRANSCRIPT_QUIET_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(86_400_000)
    .default(60_000)
    .describe('Time since the last write before a transcript is read, in ms, so that pending hooks arrive first'),
  CLAUDE_CONFIG_DIR: z
    .string()
    .optional()
    .describe('Settings folder of Claude Code; default: `.claude` in the home of the user'),
  RECOLLECT_CAPTURE_EXCLUDE: z
    .string()
    .max(16_384)
    .default('')
    .describe('Folders excluded from capture for all users: globs separated by commas, `~` for any home'),
  ...searchEnvironment,
  ...contextEnvironment,
  ...archiveEnvironment,
  ...backupEnvironment,
  ...oauthEnvironment,
  ...rateEnvironment,
  ...streamEnvironment,
  ...secretEnvironment,
  ...loginEnvironment,
  ...scheduleEnvironment,
  ...tracingEnvironment,
  RECOLLECT_SHUTDOWN_GRACE_MS: positiveInt.default(10_000).describe('Time to finish work on shutdown, in ms'),
  RECOLLECT_WORKER_QUEUES: z.string().default(WORKER_QUEUES.join(',')).describe('Task queues of a worker process'),
  RECOLLECT_BUILD_ID: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('Build id of the worker; default: package version and hash of the workflow code'),
  ...workerMetricsEnvironment,
  RECOLLECT_WORKER_NICENESS: z.coerce
    .number()
    .int()
    .min(0)
    .max(19)
    .default(19)
    .describe('Niceness of a worker process: 0 normal, 19 lowest priority'),
  RECOLLECT_FULL_VALUES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of full values that capture truncates, after redaction; unset: full values are not stored'),
  RECOLLECT_WORKER_PROMOTE: z
    .stringbool()
    .default(true)
    .describe('A starting worker promotes its build to receive workflow tasks; disable if a rollout does so'),
  RECOLLECT_SETTINGS_DIR: z
    .string()
    .optional()
    .describe(
      'Folder with a file for each further setting, such as passwords and keys: the name of the file is that of the setting. Settings of the environment must not be repeated there',
    ),
  RECOLLECT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Minimum log level'),
});

/** Returns the transcript folder of Claude Code for this user. */
export function transcriptFolder(claudeConfigDir: string | undefined): string {
  return path.resolve(claudeConfigDir || path.join(homedir(), '.claude'), 'projects');
}

/** Returns the folder of claude-mem for this user. */
export function claudeMemFolder(): string {
  return path.join(homedir(), '.claude-mem');
}

function rootsOf(setting: string | undefined, fallback: string): string[] {
  const named = (setting ?? '').split(path.delimiter).filter((root) => root !== '');
  return named.length > 0 ? named : [fallback];
}

const configSchema = environmentSchema
  .superRefine((env, context) => {
    for (const [setting, message] of [
      ...engineFaults(env),
      ...httpFaults(httpConfig(env)),
      ...workerMetricsFaults(env),
      ...tracingFaults(env),
    ])
      context.addIssue({ code: 'custom', path: [setting], message });
  })
  .transform((env) => ({
    ...engineConfig(env),
    http: httpConfig(env),
    oidcProvidersFile: env.RECOLLECT_OIDC_PROVIDERS_FILE,
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
    oauth: oauthConfig(env, {
      host: env.RECOLLECT_HTTP_HOST,
      port: env.RECOLLECT_HTTP_PORT,
      hasTls: env.RECOLLECT_TLS_CERT_FILE !== undefined,
      publicUrl: env.RECOLLECT_PUBLIC_URL,
    }),
    ...rateConfig(env),
    ...streamConfig(env),
    ...secretConfig(env),
    ...loginConfig(env),
    ...scheduleConfig(env),
    ...tracingConfig(env),
    shutdownGraceMs: env.RECOLLECT_SHUTDOWN_GRACE_MS,
    worker: {
      queues: env.RECOLLECT_WORKER_QUEUES.split(',').map((queue) => queue.trim()),
      buildId: env.RECOLLECT_BUILD_ID,
      promote: env.RECOLLECT_WORKER_PROMOTE,
      metrics: workerMetricsConfig(env),
      niceness: env.RECOLLECT_WORKER_NICENESS,
    },
    logLevel: env.RECOLLECT_LOG_LEVEL,
  }))
  .superRefine((config, context) => {
    const reject = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const { model } = config;
    if (
      model.mode === 'batch' &&
      [model.providers.small, model.providers.large].some(([first]) => first !== 'anthropic')
    )
      reject('RECOLLECT_MODEL_MODE', 'batch requires anthropic as the first provider: no other one has batches');
    if (usesProvider(model, 'openai') && model.openai.baseUrl === undefined)
      reject('RECOLLECT_OPENAI_BASE_URL', 'is required for the provider openai');
    if (usesProvider(model, 'openai') && model.openai.large === undefined)
      reject('RECOLLECT_OPENAI_LARGE_MODEL', 'is required for the provider openai');
    if (config.model.userConcurrency > config.model.concurrency)
      reject('RECOLLECT_MODEL_USER_CONCURRENCY', 'must not exceed RECOLLECT_MODEL_CONCURRENCY');
    if (config.embedding.provider === 'http' && config.embedding.http === null)
      reject(
        'RECOLLECT_EMBEDDING_PROVIDER',
        'http requires RECOLLECT_EMBEDDING_URL, RECOLLECT_EMBEDDING_MODEL and RECOLLECT_EMBEDDING_DIMENSION',
      );
    // The stable prefix takes over half of the default; a smaller bound leaves no tokens for the window.
    if (usesOutside(model) && model.requestTokens < 5_500 + model.maxOutputTokens)
      reject('RECOLLECT_MODEL_MAX_REQUEST_TOKENS', 'must be at least 5500 more than RECOLLECT_MODEL_MAX_OUTPUT_TOKENS');
    if (config.session.turnTokens > config.session.windowTokens)
      reject('RECOLLECT_WINDOW_TURN_TOKENS', 'must not exceed RECOLLECT_WINDOW_TOKENS');
    if (config.session.quietMs > config.session.idleMs)
      reject('RECOLLECT_WINDOW_QUIET_MS', 'must not exceed RECOLLECT_SESSION_IDLE_MS');
    const oauthFault = faultOfOauth(config.oauth);
    if (oauthFault !== null) reject('RECOLLECT_OAUTH', oauthFault);
    if (config.backups.keys.length > 0 && config.backups.keyFile !== null)
      reject('RECOLLECT_BACKUP_KEY_FILE', 'must not be combined with RECOLLECT_BACKUP_KEY');
    if (config.secretKeys.keys !== null && config.secretKeys.file !== null)
      reject('RECOLLECT_SECRET_KEYS_FILE', 'must not be combined with RECOLLECT_SECRET_KEYS');
    if (!config.schedules.paused.every((name) => SCHEDULE_NAMES.some((known) => known === name)))
      reject('RECOLLECT_SCHEDULES_PAUSED', `must be of ${SCHEDULE_NAMES.join(', ')}`);
    if (!config.s3.isComplete)
      reject('RECOLLECT_S3_SECRET_ACCESS_KEY', 'must be set together with RECOLLECT_S3_ACCESS_KEY_ID');
    if (!config.transcripts.roots.every((root) => path.isAbsolute(root)))
      reject('RECOLLECT_TRANSCRIPT_ROOTS', 'must be absolute paths');
    if (!config.claudeMem.roots.every((root) => path.isAbsolute(root)))
      reject('RECOLLECT_CLAUDE_MEM_ROOTS', 'must be absolute paths');
    const unknown = config.worker.queues.filter((queue) => !WORKER_QUEUES.some((known) => known === queue));
    if (unknown.length > 0) reject('RECOLLECT_WORKER_QUEUES', `must be of ${WORKER_QUEUES.join(', ')}`);
  });

export type Config = Readonly<z.output<typeof configSchema>>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Schema of workers, which make model calls. The api has no provider key. */
const callerSchema = configSchema.superRefine(({ model }, context) => {
  if (!usesProvider(model, 'anthropic') || model.apiKey !== undefined) return;
  const message = 'is required for the provider anthropic';
  context.addIssue({ code: 'custom', path: ['ANTHROPIC_API_KEY'], message });
});

/**
 * Settings that the api must not use: databases across tenants, the model provider, backups. The api process does not receive them and ignores
 * them in its environment.
 */
export const WORKER_SETTINGS = [
  'RECOLLECT_MAINTENANCE_DATABASE_URL',
  'RECOLLECT_RESTORE_DATABASE_URL',
  'RECOLLECT_BACKUP_KEY',
  'RECOLLECT_BACKUP_KEY_FILE',
  'RECOLLECT_BACKUP_SIGNING_KEY',
  'RECOLLECT_BACKUP_TRUSTED_KEYS',
  'ANTHROPIC_API_KEY',
  'RECOLLECT_OPENAI_API_KEY',
] as const satisfies readonly (keyof typeof environmentSchema.shape)[];

const workerSettings: ReadonlySet<string> = new Set(WORKER_SETTINGS);

/** Settings that only a migration may use: the owner is not restricted by row-level security everywhere, and an admin by nothing. */
export const MIGRATION_SETTINGS = [
  'RECOLLECT_OWNER_DATABASE_URL',
  'RECOLLECT_ADMIN_DATABASE_URL',
] as const satisfies readonly (keyof typeof environmentSchema.shape)[];

const migrationSettings: ReadonlySet<string> = new Set(MIGRATION_SETTINGS);

/** Returns an environment without the settings of migrations. */
export function withoutMigrationSettings<Value>(environment: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !migrationSettings.has(name)));
}

/** Returns an environment without the worker settings. */
export function withoutWorkerSettings<Value>(environment: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !workerSettings.has(name)));
}

/** Returns the configuration of the api process. @throws ConfigError with the names of invalid settings and no values */
export function parseApiConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return parseWith(configSchema, withoutMigrationSettings(withoutWorkerSettings(environment)));
}

/** Returns the configuration of a migration, which has no model key. @throws ConfigError with the names of invalid settings and no values */
export function parseMigrationConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return parseWith(configSchema, environment);
}

/** Returns the configuration of a worker process. @throws ConfigError with the names of invalid settings and no values */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return parseWith(callerSchema, withoutMigrationSettings(environment));
}

const engineSchema = z
  .object(engineEnvironment)
  .superRefine((env, context) => {
    for (const [setting, message] of engineFaults(env)) context.addIssue({ code: 'custom', path: [setting], message });
  })
  .transform(engineConfig);

/** Returns the engines of a worker's environment, as a command uses them. @throws ConfigError with the names of invalid settings and no values */
export function parseEngineConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ReturnType<typeof engineConfig> {
  return parseWith(engineSchema, withoutMigrationSettings(environment));
}

function parseWith<Parsed>(
  schema: z.ZodType<Parsed>,
  environment: Readonly<Record<string, string | undefined>>,
): Parsed {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}
