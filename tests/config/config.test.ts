import { describe, expect, it } from 'vitest';
import { ConfigError, environmentSchema, parseApiConfig, parseConfig } from '../../config/config.ts';
import { WORKER_QUEUES } from '../../domain/jobs.ts';

const needed = {
  RECOLLECT_DATABASE_URL: 'postgres://app:pw@127.0.0.1:5432/recollect',
  RECOLLECT_MAINTENANCE_DATABASE_URL: 'postgres://ops:pw@127.0.0.1:5432/recollect',
  RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:7233',
  RECOLLECT_WEAVIATE_URL: 'http://127.0.0.1:8080',
  RECOLLECT_WEAVIATE_GRPC_PORT: '50051',
  RECOLLECT_WEAVIATE_API_KEY: 'key',
  RECOLLECT_CACHE_DIR: '/tmp/cache',
};

const oauth = { RECOLLECT_OAUTH: 'true' };

const parse = (changes: Record<string, string | undefined> = {}) => parseConfig({ ...needed, ...changes });

function refusal(changes: Record<string, string | undefined>): string {
  try {
    parse(changes);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('the configuration was taken');
}

describe('defaults', () => {
  it('are those of the specification', () => {
    expect(parse()).toMatchObject({
      http: { host: '127.0.0.1', port: 37_700, allowPlain: false, scrapeToken: undefined },
      model: { providers: { small: ['local'], large: ['local'] }, apiKey: undefined, concurrency: 10 },
      session: {
        windowTokens: 6_000,
        turnTokens: 1_500,
        quietMs: 120_000,
        maxAgeMs: 900_000,
        idleMs: 1_800_000,
        retryMs: 30_000,
      },
      temporal: { address: '127.0.0.1:7233', namespace: 'recollect' },
      weaviate: { url: 'http://127.0.0.1:8080', grpcPort: 50_051, apiKey: 'key' },
      worker: { queues: ['session', 'model', 'embedding', 'sweeps', 'maintenance', 'transcripts'], buildId: undefined },
      sweepIntervalMs: 60_000,
      logLevel: 'info',
    });
  });

  it('serve no OAuth, and with the setting at the address of the api', () => {
    expect(parse().oauth).toBeNull();
    expect(parse(oauth).oauth).toMatchObject({ origin: 'http://127.0.0.1:37700', registration: false });
    const named = { ...oauth, RECOLLECT_PUBLIC_URL: 'https://memory.example.org/' };
    expect(parse(named).oauth).toMatchObject({ origin: 'https://memory.example.org' });
  });

  it('ignore other variables of the environment', () => {
    expect(parse({ PATH: '/bin', RECOLLECT_UNKNOWN: 'x' })).toEqual(parse());
  });

  it('the maintenance role is for the workers of one queue alone', () => {
    expect(parse({ RECOLLECT_MAINTENANCE_DATABASE_URL: undefined }).database.maintenanceUrl).toBeUndefined();
  });

  it.each(Object.keys(needed).filter((name) => name !== 'RECOLLECT_MAINTENANCE_DATABASE_URL'))(
    '%s has none',
    (name) => {
      expect(refusal({ [name]: undefined })).toMatch(new RegExp(`^${name}: `));
    },
  );
});

describe('values', () => {
  it('are read as what they are', () => {
    expect(
      parse({
        RECOLLECT_HTTP_PORT: '0',
        RECOLLECT_ALLOW_PLAIN_HTTP: 'yes',
        RECOLLECT_SEARCH_KEYWORD_WEIGHT: '0.5',
        RECOLLECT_HINT_DELAY_MS: '0',
        RECOLLECT_WORKER_QUEUES: ' session , model',
        RECOLLECT_BUILD_ID: 'b1',
        RECOLLECT_LOG_LEVEL: 'debug',
      }),
    ).toMatchObject({
      http: { port: 0, allowPlain: true },
      search: { keywordWeight: 0.5 },
      hintDelayMs: 0,
      worker: { queues: ['session', 'model'], buildId: 'b1' },
      logLevel: 'debug',
    });
  });

  it.each([
    ['RECOLLECT_DATABASE_URL', 'no url hunter2'],
    ['RECOLLECT_WEAVIATE_URL', 'hunter2'],
    ['RECOLLECT_WEAVIATE_GRPC_PORT', '70000'],
    ['RECOLLECT_WEAVIATE_API_KEY', ''],
    ['RECOLLECT_HTTP_PORT', '-1'],
    ['RECOLLECT_HTTP_PORT', '65536'],
    ['RECOLLECT_HTTP_PORT', 'hunter2'],
    ['RECOLLECT_DB_POOL_MAX', '0'],
    ['RECOLLECT_DB_POOL_MAX', '201'],
    ['RECOLLECT_DB_CONNECT_TIMEOUT_MS', '1.5'],
    ['RECOLLECT_DB_STATEMENT_TIMEOUT_MS', ''],
    ['RECOLLECT_ALLOW_PLAIN_HTTP', 'hunter2'],
    ['RECOLLECT_SCRAPE_TOKEN', 'hunter2'],
    ['RECOLLECT_MODEL_PROVIDER', 'hunter2'],
    ['RECOLLECT_MODEL_PROVIDER', 'local,local'],
    ['RECOLLECT_MODEL_PROVIDER', 'anthropic,'],
    ['RECOLLECT_MODEL_PROVIDER', 'local'.padEnd(101)],
    ['RECOLLECT_SMALL_MODEL_PROVIDER', 'openai;local'],
    ['RECOLLECT_MODEL_PROVIDER_TOKENS', 'anthropic=1000000001'],
    ['RECOLLECT_MODEL_PROVIDER_TOKENS', 'local=5'],
    ['RECOLLECT_MODEL_PROVIDER_TOKENS', 'openai=5,openai=6'],
    ['RECOLLECT_MODEL_PROVIDER_TOKENS', 'openai=-1'],
    ['RECOLLECT_OPENAI_BASE_URL', 'file:///etc/hunter2'],
    ['RECOLLECT_OPENAI_BASE_URL', 'https://me:hunter2@127.0.0.1/v1'],
    ['RECOLLECT_OPENAI_BASE_URL', 'https://127.0.0.1/v1?key=hunter2'],
    ['RECOLLECT_OPENAI_BASE_URL', `https://127.0.0.1/${'hunter2'.repeat(300)}`],
    ['RECOLLECT_EMBEDDING_URL', 'https://hunter2@127.0.0.1/v1'],
    ['RECOLLECT_EMBEDDING_URL', 'https://127.0.0.1/v1#hunter2'],
    ['RECOLLECT_EMBEDDING_TIMEOUT_MS', '300001'],
    ['RECOLLECT_ANTHROPIC_BASE_URL', 'https://127.0.0.1?key=hunter2'],
    ['RECOLLECT_MODEL_TIMEOUT_MS', '140001'],
    ['RECOLLECT_MODEL_TIMEOUT_MS', '2147483648'],
    ['RECOLLECT_OPENAI_API_KEY', 'hunter2'.repeat(150)],
    ['RECOLLECT_OPENAI_SMALL_MODEL', 'hunter2'.repeat(30)],
    ['RECOLLECT_OPENAI_LARGE_MODEL', ''],
    ['RECOLLECT_OPENAI_SMALL_MODEL_PRICES', '1,hunter2,1,1'],
    ['RECOLLECT_OPENAI_LARGE_MODEL_PRICES', '1,1'],
    ['RECOLLECT_OPENAI_LIMIT_FIELD', 'hunter2'],
    ['RECOLLECT_OPENAI_TEMPERATURE', '2.1'],
    ['RECOLLECT_CLAUDE_CLI_COMMAND', ''],
    ['RECOLLECT_ANTHROPIC_BASE_URL', 'hunter2'],
    ['RECOLLECT_SMALL_MODEL_PRICES', '1,5,1.25'],
    ['RECOLLECT_LARGE_MODEL_PRICES', '3,15,-1,0.3'],
    ['RECOLLECT_LARGE_MODEL_PRICES', '3,15,hunter2,0.3'],
    ['RECOLLECT_MODEL_CACHE_SIMILARITY', '1.01'],
    ['RECOLLECT_MODEL_BATCH_MAX_CALLS', '2001'],
    ['RECOLLECT_BUDGET_EXCEEDED_ACTION', 'hunter2'],
    ['RECOLLECT_LARGE_MODEL_THINKING', 'hunter2'],
    ['RECOLLECT_MODEL_MODE', 'hunter2'],
    ['RECOLLECT_SEARCH_KEYWORD_WEIGHT', '1.1'],
    ['RECOLLECT_HINT_DELAY_MS', '60001'],
    ['RECOLLECT_EMBEDDING_UNRELATED', '0.96'],
    ['RECOLLECT_LOG_LEVEL', 'hunter2'],
    ['RECOLLECT_BUILD_ID', 'hunter2'.repeat(20)],
  ])('%s refuses %j by its name alone', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toMatch(new RegExp(`^${name}: .+$`));
    expect(message).not.toContain('hunter2');
  });

  it('names every setting at fault at once', () => {
    const message = refusal({ RECOLLECT_HTTP_PORT: 'x', RECOLLECT_LOG_LEVEL: 'x', RECOLLECT_CACHE_DIR: undefined });
    expect(new Set(message.split('\n').map((line) => line.split(':')[0]))).toEqual(
      new Set(['RECOLLECT_CACHE_DIR', 'RECOLLECT_HTTP_PORT', 'RECOLLECT_LOG_LEVEL']),
    );
  });
});

const [database, beyond] = ['postgres://app:hunter2@127.0.0.1/recollect', 'postgres://app:hunter2@db/recollect'];
/** Setting, refused value, and other settings. */
const REFUSED_ENGINES: readonly (readonly [string, string, Record<string, string>?])[] = [
  ['RECOLLECT_DATABASE_URL', beyond],
  ['RECOLLECT_DATABASE_URL', `${beyond}?sslmode=disable`],
  ['RECOLLECT_DATABASE_URL', 'postgres://app:hunter2%@127.0.0.1/recollect'],
  ['RECOLLECT_MAINTENANCE_DATABASE_URL', 'postgres://app:hunter2@127.0.0.1/recollect%zz'],
  ['RECOLLECT_DATABASE_URL', `${database}?host=db`],
  ['RECOLLECT_MAINTENANCE_DATABASE_URL', beyond],
  ['RECOLLECT_RESTORE_DATABASE_URL', beyond],
  ...['prefer', 'require', 'verify-ca', 'no-verify', 'hunter2'].map(
    (mode) => ['RECOLLECT_DATABASE_URL', `${database}?sslmode=${mode}`] as const,
  ),
  ['RECOLLECT_DATABASE_URL', `${beyond}?ssl=true`],
  ['RECOLLECT_DATABASE_URL', `${beyond}?sslmode=verify-full&uselibpqcompat=true`],
  ['RECOLLECT_DATABASE_URL', `${beyond}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`],
  ['RECOLLECT_DATABASE_URL', `${database}?sslcert=/nowhere/cert.pem`],
  ['RECOLLECT_TEMPORAL_ADDRESS', 'temporal:7233'],
  ['RECOLLECT_TEMPORAL_ADDRESS', '127.0.0.1.example.org:7233'],
  ['RECOLLECT_TEMPORAL_API_KEY', 'hunter2'],
  ['RECOLLECT_TEMPORAL_TLS_SERVER_NAME', 'temporal.example.org'],
  ['RECOLLECT_TEMPORAL_TLS_KEY_FILE', import.meta.filename, { RECOLLECT_TEMPORAL_TLS: 'true' }],
  ['RECOLLECT_WEAVIATE_URL', 'http://weaviate:8080'],
  ['RECOLLECT_WEAVIATE_URL', 'ftp://127.0.0.1'],
  ['RECOLLECT_CA_FILE', '/nowhere/ca.pem'],
  ['RECOLLECT_CA_FILE', import.meta.filename],
];

describe('contradictions', () => {
  it.each<[string, Record<string, string>, string]>([
    ['batches without a provider', { RECOLLECT_MODEL_MODE: 'batch' }, 'RECOLLECT_MODEL_MODE'],
    ['more calls of one user than in all', { RECOLLECT_MODEL_CONCURRENCY: '2' }, 'RECOLLECT_MODEL_USER_CONCURRENCY'],
    [
      'a request limit that the prefix alone fills',
      { RECOLLECT_MODEL_PROVIDER: 'anthropic', ANTHROPIC_API_KEY: 'k', RECOLLECT_MODEL_MAX_REQUEST_TOKENS: '6999' },
      'RECOLLECT_MODEL_MAX_REQUEST_TOKENS',
    ],
    ['a provider without its key', { RECOLLECT_MODEL_PROVIDER: 'anthropic' }, 'ANTHROPIC_API_KEY'],
    ['a later provider without its key', { RECOLLECT_MODEL_PROVIDER: 'local,anthropic' }, 'ANTHROPIC_API_KEY'],
    [
      'a server without its address',
      { RECOLLECT_SMALL_MODEL_PROVIDER: 'openai', RECOLLECT_OPENAI_LARGE_MODEL: 'm' },
      'RECOLLECT_OPENAI_BASE_URL',
    ],
    [
      'a server without its model',
      { RECOLLECT_MODEL_PROVIDER: 'openai', RECOLLECT_OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' },
      'RECOLLECT_OPENAI_LARGE_MODEL',
    ],
    [
      'batches with another provider for small windows',
      {
        RECOLLECT_MODEL_MODE: 'batch',
        RECOLLECT_MODEL_PROVIDER: 'anthropic',
        RECOLLECT_SMALL_MODEL_PROVIDER: 'local,anthropic',
        ANTHROPIC_API_KEY: 'k',
      },
      'RECOLLECT_MODEL_MODE',
    ],
    [
      'a turn larger than a window',
      { RECOLLECT_WINDOW_TOKENS: '1000', RECOLLECT_WINDOW_TURN_TOKENS: '1001' },
      'RECOLLECT_WINDOW_TURN_TOKENS',
    ],
    [
      'a quiet time longer than idling',
      { RECOLLECT_WINDOW_QUIET_MS: '2000', RECOLLECT_SESSION_IDLE_MS: '1999' },
      'RECOLLECT_WINDOW_QUIET_MS',
    ],
    ['plain HTTP beyond loopback', { RECOLLECT_HTTP_HOST: '0.0.0.0' }, 'RECOLLECT_HTTP_HOST'],
    ['plain HTTP on all of IPv6', { RECOLLECT_HTTP_HOST: '::' }, 'RECOLLECT_HTTP_HOST'],
    ['plain HTTP on no address', { RECOLLECT_HTTP_HOST: '' }, 'RECOLLECT_HTTP_HOST'],
    ['a certificate without its key', { RECOLLECT_TLS_CERT_FILE: '/etc/cert.pem' }, 'RECOLLECT_TLS_KEY_FILE'],
    ['a key without its certificate', { RECOLLECT_TLS_KEY_FILE: '/etc/key.pem' }, 'RECOLLECT_TLS_KEY_FILE'],
    ['a public address that is none', { RECOLLECT_PUBLIC_URL: 'hunter2' }, 'RECOLLECT_PUBLIC_URL'],
    ...REFUSED_ENGINES.map(([setting, value, changes = {}]): [string, Record<string, string>, string] => [
      `an engine at ${value}`,
      { ...changes, [setting]: value },
      setting,
    ]),
    ['OAuth on a port that is not known', { ...oauth, RECOLLECT_HTTP_PORT: '0' }, 'RECOLLECT_OAUTH'],
    ['OAuth over plain HTTP', { ...oauth, RECOLLECT_PUBLIC_URL: 'http://memory.example.org' }, 'RECOLLECT_OAUTH'],
    ['OAuth below a path', { ...oauth, RECOLLECT_PUBLIC_URL: 'https://example.org/memory' }, 'RECOLLECT_OAUTH'],
    ['an unknown queue', { RECOLLECT_WORKER_QUEUES: 'session,hunter2' }, 'RECOLLECT_WORKER_QUEUES'],
    ['no queue', { RECOLLECT_WORKER_QUEUES: '' }, 'RECOLLECT_WORKER_QUEUES'],
  ])('%s', (_, changes, name) => {
    const message = refusal(changes);
    expect(message).toMatch(new RegExp(`^${name}: .+$`));
    expect(message).not.toContain('hunter2');
  });

  it.each<[string, Record<string, string>]>([
    ['a provider with its key', { RECOLLECT_MODEL_PROVIDER: 'anthropic', ANTHROPIC_API_KEY: 'k' }],
    ['a key that is not needed', { ANTHROPIC_API_KEY: 'k' }],
    ['a turn as large as a window', { RECOLLECT_WINDOW_TOKENS: '1000', RECOLLECT_WINDOW_TURN_TOKENS: '1000' }],
    ['a quiet time as long as idling', { RECOLLECT_WINDOW_QUIET_MS: '2000', RECOLLECT_SESSION_IDLE_MS: '2000' }],
    [
      'plain HTTP beyond loopback where it is allowed',
      { RECOLLECT_HTTP_HOST: '0.0.0.0', RECOLLECT_ALLOW_PLAIN_HTTP: 'true' },
    ],
    [
      'HTTPS beyond loopback',
      { RECOLLECT_HTTP_HOST: '0.0.0.0', RECOLLECT_TLS_CERT_FILE: '/c', RECOLLECT_TLS_KEY_FILE: '/k' },
    ],
    [
      'engines beyond loopback with TLS',
      {
        RECOLLECT_DATABASE_URL: 'postgres://app:pw@db.example.org/recollect?sslmode=verify-full',
        RECOLLECT_TEMPORAL_ADDRESS: 'recollect.a1b2c.tmprl.cloud:7233',
        RECOLLECT_TEMPORAL_NAMESPACE: 'recollect.a1b2c',
        RECOLLECT_TEMPORAL_TLS: 'true',
        RECOLLECT_TEMPORAL_API_KEY: 'k',
        RECOLLECT_WEAVIATE_URL: 'https://weaviate.example.org',
        RECOLLECT_WEAVIATE_GRPC_HOST: 'grpc.example.org',
      },
    ],
    [
      'engines beyond loopback without TLS where it is allowed',
      {
        RECOLLECT_ALLOW_PLAIN_ENGINES: 'true',
        RECOLLECT_DATABASE_URL: 'postgres://app:pw@postgres/recollect?sslmode=disable',
        RECOLLECT_TEMPORAL_ADDRESS: 'temporal:7233',
        RECOLLECT_WEAVIATE_URL: 'http://weaviate:8080',
      },
    ],
    ['a socket of PostgreSQL', { RECOLLECT_DATABASE_URL: 'postgres://app@localhost/recollect?host=/run/postgresql' }],
    ['IPv6 loopback', { RECOLLECT_HTTP_HOST: '::1' }],
    ['localhost', { RECOLLECT_HTTP_HOST: 'localhost' }],
    ...WORKER_QUEUES.map((queue): [string, Record<string, string>] => [
      `the queue ${queue} alone`,
      { RECOLLECT_WORKER_QUEUES: queue },
    ]),
  ])('none: %s', (_, changes) => {
    expect(() => parse(changes)).not.toThrow();
  });
});

it('every setting has a description for the table in the documentation', () => {
  for (const [name, schema] of Object.entries(environmentSchema.shape)) {
    expect(name).toMatch(/^(?:RECOLLECT_[A-Z0-9_]+|ANTHROPIC_API_KEY|CLAUDE_CONFIG_DIR)$/);
    expect(`${name}: ${schema.description ?? ''}`).toMatch(/: .{5,}/);
  }
});

it('reads providers in order by size of the model, their tokens, and the models of a server', () => {
  const { model } = parse({
    RECOLLECT_MODEL_PROVIDER: ' anthropic, openai,local',
    RECOLLECT_SMALL_MODEL_PROVIDER: 'openai',
    RECOLLECT_MODEL_PROVIDER_TOKENS: 'anthropic=200000, openai = 0',
    RECOLLECT_OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
    RECOLLECT_OPENAI_LARGE_MODEL: 'qwen3:14b',
    RECOLLECT_OPENAI_LARGE_MODEL_PRICES: '1,2,3,4',
    RECOLLECT_OPENAI_TEMPERATURE: 'unset',
    ANTHROPIC_API_KEY: 'k',
  });
  expect(model.providers).toEqual({ large: ['anthropic', 'openai', 'local'], small: ['openai'] });
  expect(model.providerTokens).toEqual({ anthropic: 200_000, openai: 0 });
  // Without a small model the large one and its prices apply.
  expect(model.openai).toMatchObject({ small: 'qwen3:14b', large: 'qwen3:14b', temperature: null });
  expect(model.openai.smallPrices).toEqual(model.openai.largePrices);
});

it('the api calls no model, and needs no key of the provider', () => {
  const environment = { ...needed, RECOLLECT_MODEL_PROVIDER: 'anthropic' };
  expect(() => parseConfig(environment)).toThrow('ANTHROPIC_API_KEY');
  expect(parseApiConfig(environment).model).toMatchObject({ providers: { large: ['anthropic'] }, apiKey: undefined });
});

it('ignores the keys of backups in the api process', () => {
  const keys = {
    RECOLLECT_BACKUP_KEY: Buffer.alloc(32).toString('base64'),
    RECOLLECT_BACKUP_SIGNING_KEY: Buffer.alloc(48).toString('base64'),
    RECOLLECT_BACKUP_TRUSTED_KEYS: Buffer.alloc(44).toString('base64'),
    RECOLLECT_RESTORE_DATABASE_URL: 'postgresql://maker@127.0.0.1/postgres',
  };
  const { backups, database } = parseApiConfig({ ...needed, ...keys });
  expect(backups).toMatchObject({ keys: [], keyFile: null, signingKey: null, trustedKeys: [] });
  expect(database).toMatchObject({ maintenanceUrl: undefined, restoreUrl: undefined });
  expect(parseConfig({ ...needed, ...keys }).backups.signingKey).not.toBeNull();
});
