import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { Config } from '../config/config.ts';
import { readKeyRing as readRing } from '../config/key-ring.ts';
import { VERSION } from '../config/version.ts';
import { readOidcProviders } from '../config/oidc-providers.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { NO_TRACER } from '../domain/ports/tracer.ts';
import { indexNameOf } from '../domain/index-model.ts';
import { createEmbedders } from '../models/embedding/create-embedders.ts';
import { createOnnxReranker } from '../models/reranking/onnx-reranker.ts';
import { createTokenCounter } from '../models/tokens/token-counter.ts';
import { Notifications } from '../stores/postgres/connection/notifications.ts';
import { drawRate } from '../stores/postgres/access/rate-limits.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';
import { BreachedPasswords } from '../stores/files/breached-passwords.ts';
import { directoryStoreAt } from '../stores/files/directory-store.ts';
import { createCapture } from '../stores/postgres/capture/capture.ts';
import { createDatabase } from '../stores/postgres/connection/database.ts';
import { readExcludedSessions, writeExcludedSession } from '../stores/postgres/capture/excluded-sessions.ts';
import { readExclusions } from '../stores/postgres/capture/exclusions.ts';
import { BurstFlag } from '../stores/postgres/capture/burst-flag.ts';
import { createServedIndexOf } from '../stores/postgres/embeddings/served-index.ts';
import { createTemporalClient } from '../stores/temporal/client.ts';
import { createWorkflowHints } from '../stores/temporal/hints.ts';
import { createJobs } from '../stores/temporal/jobs.ts';
import { createSchedules } from '../stores/temporal/schedules.ts';
import { createStartJob } from '../stores/temporal/start-workflow.ts';
import { createSessionSteering } from '../stores/temporal/session-steering.ts';
import { createWeaviateIndex } from '../stores/weaviate/weaviate-index.ts';
import { createDropLog } from '../telemetry/drop-log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Tracing } from '../telemetry/tracing.ts';
import type { CreateExporter } from '../telemetry/tracing.ts';
import { createReadScheduleTimes } from '../stores/temporal/schedule-times.ts';
import { createApiMetrics } from '../telemetry/api-metrics.ts';
import { addProcessSamples } from './metrics/process-sample.ts';
import { createApiScrape } from './metrics/api-scrape.ts';
import { createFindPrincipal } from './find-principal.ts';
import { createHealthChecks } from './health-checks.ts';
import { RateLeases } from './http/rate-leases.ts';
import { Exclusions } from './intake/exclusions.ts';
import { BurstDetector } from './intake/burst-detector.ts';
import { HeavyEvents } from './intake/heavy-events.ts';
import { HintSender } from './intake/hint-sender.ts';
import { Intake } from './intake/intake.ts';
import { PasswordHashing } from './login/password-hashing.ts';
import { SignedTokens } from './login/signed-tokens.ts';
import { EventHub } from './stream/event-hub.ts';
import { createJobList } from './job-list.ts';
import { OidcClient } from './oidc/oidc-client.ts';
import { BrowserCookie } from './viewer/browser-cookie.ts';
import { createInstanceId } from './viewer/instance-id.ts';
import { createRecall } from './memories/recall.ts';
import { createRemembering } from './memories/remembering.ts';

const EMBEDDER_IDLE_MS = 30_000;

/**
 * Creates the api's dependencies. Opens no connection: each dependency connects at its first use. `createExporter`: null where nothing is
 * traced (`loadExporter`).
 */
export function createApiDependencies(config: Config, logger: Logger, createExporter: CreateExporter | null = null) {
  const clock: Clock = { now: () => Date.now() };
  const embedders = createEmbedders(
    { ...config, maxClass: config.model.maxClass },
    {
      // One query at a time: a second thread would take its core from the search that runs beside it.
      threads: 1,
      idleUnloadMs: EMBEDDER_IDLE_MS,
    },
  );
  const metrics = createApiMetrics(VERSION, embedders.wanted.model, config.model.cache.days > 0);
  const spans = createExporter?.(createDropLog(logger, metrics.telemetryDropped)) ?? null;
  const tracing = spans && new Tracing({ source: spans, share: config.tracing?.share ?? 0 });
  const tracer = tracing ?? NO_TRACER;
  const tokens = createTokenCounter();
  const database = createDatabase({
    privateRows: 'none',
    url: config.database.url,
    max: config.database.poolMax,
    connectTimeoutMs: config.database.connectTimeoutMs,
    statementTimeoutMs: config.database.statementTimeoutMs,
    applicationName: 'recollect-api',
    onIdleError: (error) => logger.warn({ error: error.name }, 'an idle PostgreSQL connection was lost'),
    onQuery: (seconds) => metrics.queryDuration.observe(seconds),
  });
  const notifications = new Notifications({
    url: config.database.url,
    connectTimeoutMs: config.database.connectTimeoutMs,
    onLost: (error) => logger.warn({ error: error?.name }, 'changes of access do not arrive; keys are looked up'),
  });
  addProcessSamples(notifications, database.pool, metrics, (error) =>
    logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'a sample of this process is not stored'),
  );
  const readKeyRing = () => readRing(config.secretKeys);
  const issuer = config.http.publicUrl ?? 'urn:recollect';
  const signedTokens = new SignedTokens({ pool: database.pool, readRing: readKeyRing, issuer });
  const resource = config.oauth === null ? null : `${config.oauth.origin}/mcp`;
  const temporal = createTemporalClient(config.temporal);
  const vectors = createWeaviateIndex(config.weaviate);
  const embeddingModel = { name: indexNameOf(embedders.wanted.model), dimension: embedders.wanted.dimension };
  const indexOf = createServedIndexOf(database, embedders, embeddingModel);
  const reranker =
    config.search.rerankerDir === undefined ? null : createOnnxReranker({ modelDir: config.search.rerankerDir });
  const hintClient = createTemporalClient(config.temporal, 'hints');
  const workflowHints = createWorkflowHints(hintClient, config.session, {
    ...config.model.batch,
    retryMs: config.session.retryMs,
  });
  const jobs = createJobs(temporal);
  const createBurstDetector = () => {
    const sign = new BurstFlag(database.pool, (error) =>
      logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'the burst flag could not be set'),
    );
    return { sign, gauge: new BurstDetector((isBurst) => sign.show(isBurst)) };
  };
  const { sign: burstFlag, gauge: burst } = createBurstDetector();
  const imported = createBurstDetector();
  const hints = new HintSender({
    burst,
    hints: workflowHints,
    delayMs: config.hintDelayMs,
    tracer,
    onSent: () => metrics.hintsSent.inc(),
    onFailure: (error) => {
      metrics.hintsFailed.inc();
      logger.warn(
        { error: error instanceof Error ? error.name : 'unknown' },
        'a hint did not reach Temporal; the sweep repeats it',
      );
    },
  });
  let exclusionChanges = 0;
  notifications.on('exclusions_changed', () => {
    exclusionChanges += 1;
  });
  const exclusions = new Exclusions({
    globs: config.captureExclude,
    load: (tenantId) => readExclusions(database, tenantId),
    memory: {
      read: (tenantId, sessions) => readExcludedSessions(database, tenantId, sessions),
      write: (tenantId, session, isExcluded) => writeExcludedSession(database, tenantId, session, isExcluded),
      version: () => (notifications.isListening ? exclusionChanges : null),
    },
  });
  const findPrincipal = createFindPrincipal({
    database,
    signedTokens,
    resource,
    idleMs: config.login.idleMs,
    logger,
  });
  const instanceId = createInstanceId(database);
  const events = new EventHub({
    database,
    notifications,
    findPrincipal,
    limits: config.streams,
    onFailure: (error) =>
      logger.warn({ error: error instanceof Error ? error.name : 'unknown' }, 'events of the stream cannot be read'),
  });
  const health = createHealthChecks({
    database,
    temporal,
    vectors,
    embedder: embedders.wanted,
    onUnavailable: (dependency, reason) => logger.warn({ dependency, reason }, 'a dependency is unavailable'),
    onChecked: (dependency, isAvailable) => metrics.dependencyUp.set({ dependency }, isAvailable ? 1 : 0),
  });
  const objects = directoryStoreAt(config.fullValuesDir);
  const heavy = new HeavyEvents();
  return {
    config,
    objects,
    /** Large events, read and built beside the event loop. */
    heavy,
    /** Counts rows of imports: workers defer to them as to captures, but agents are still served context. */
    importBurst: imported.gauge,
    /** Archived sessions, exports and files of imports; null where no store is set. */
    archives: archiveStoreAt(config.archive.address, config.s3),
    metrics,
    /** Null where nothing is traced. */
    tracing,
    clock,
    tokens,
    database,
    notifications,
    /** Returns the keys that seal secrets; null without log-in. */
    readKeyRing,
    /** Tokens of log-ins. */
    signedTokens,
    passwords: new PasswordHashing(),
    /** Null without a list. */
    breachedPasswords:
      config.login.breachedPasswordsFile === null ? null : new BreachedPasswords(config.login.breachedPasswordsFile),
    findPrincipal,
    /** Returns the id of the instance. */
    instanceId,
    /** The cookie of the viewer. */
    browserCookie: new BrowserCookie({ instanceId, publicUrl: config.http.publicUrl }),
    /** Open event streams. */
    events,
    /** Log-in providers by name, in the order of their file. */
    oidcClients: new Map(
      readOidcProviders(config.oidcProvidersFile).map((provider) => [provider.name, new OidcClient(provider, logger)]),
    ),
    rateLeases: new RateLeases(
      (bucket, want, limit) => drawRate(database.pool, bucket, want, limit),
      (error) =>
        logger.warn(
          { error: error instanceof Error ? error.name : 'unknown' },
          'a rate limit applies to this process alone',
        ),
    ),
    intake: new Intake(createCapture(database.pool), hints, metrics, heavy, exclusions, objects, tracer),
    recall: createRecall({
      database,
      vectors,
      indexOf,
      reranker,
      settings: config.search,
      tracer,
      onStage: (stage, seconds) => {
        metrics.searchDuration.observe({ stage }, seconds);
        tracing?.ended(`search.${stage}`, seconds);
      },
      tokens,
      clock,
      hooks: config.context,
      isBurst: () => burst.isBurst,
    }),
    indexOf,
    remembering: createRemembering({ database, vectors, embedder: embedders.wanted, indexOf }, heavy),
    /** Embeds memories that a request writes itself. */
    embeddingModel,
    /** Hints of a request that changed something itself, beside those of captures. */
    workflowHints,
    startJob: createStartJob(temporal),
    jobs,
    schedules: createSchedules(temporal),
    jobList: createJobList({ database, jobs, config }),
    steering: createSessionSteering(temporal, config.session),
    vectors,
    health,
    /** Returns the metrics in OpenMetrics. Figures that are computed at a scrape and are late are part of the next one. */
    scrape: createApiScrape(
      {
        config,
        pool: database.pool,
        health,
        readSchedules: createReadScheduleTimes(temporal),
        counts: () => ({ hints: hints.size, streams: events.size }),
        onFailure: (step, error) =>
          logger.warn({ step, error: error instanceof Error ? error.name : 'unknown' }, 'figures cannot be read'),
      },
      metrics,
    ),
    /** After the server has answered its last request: hints go out first, stores close last. */
    async close() {
      burst.stop();
      imported.gauge.stop();
      await Promise.all([burstFlag.close(), imported.sign.close()]);
      await hints.stop(config.shutdownGraceMs);
      // Beside the rest: a slow collector delays nothing.
      const exported = spans?.close();
      await heavy.close();
      await hintClient.connection.close();
      await temporal.connection.close();
      await embedders.close();
      await reranker?.close();
      await vectors.close();
      await notifications.close();
      await database.close();
      await exported;
    },
  };
}

export type ApiDependencies = ReturnType<typeof createApiDependencies>;

/** The server, with requests and responses typed by the schemas of their routes. */
export type Api = Parameters<FastifyPluginCallbackZod>[0];
