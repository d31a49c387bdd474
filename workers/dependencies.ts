import { createAuditActivities } from '../activities/audit/create-audit-activities.ts';
import { createClaudeMemActivities } from '../activities/claude-mem/create-claude-mem-activities.ts';
import { createConsistencyActivities } from '../activities/consistency/create-consistency-activities.ts';
import { createConsolidationActivities } from '../activities/consolidation/create-consolidation-activities.ts';
import { createIndexActivities } from '../activities/indexing/create-index-activities.ts';
import { readKnown } from '../activities/learning/compare-drafts.ts';
import { createLearningActivities } from '../activities/learning/create-learning-activities.ts';
import { createMaintenanceActivities } from '../activities/maintenance/create-maintenance-activities.ts';
import { createModelBatchActivities } from '../activities/model-batch/create-model-batch-activities.ts';
import { createReindexActivities } from '../activities/reindex/create-reindex-activities.ts';
import { createRetentionActivities } from '../activities/retention/create-retention-activities.ts';
import { createSessionActivities } from '../activities/session/create-session-activities.ts';
import { createStatisticsActivities } from '../activities/statistics/create-statistics-activities.ts';
import { createSummariseActivities } from '../activities/summarise/create-summarise-activities.ts';
import type { ReadKnown } from '../activities/summarise/create-summarise-activities.ts';
import { createTranscriptActivities } from '../activities/transcripts/create-transcript-activities.ts';
import type { FailoverReason } from '../activities/model-call.ts';
import type { Config } from '../config/config.ts';
import { readKeyRing } from '../config/key-ring.ts';
import { processEnvironment } from '../config/process-environment.ts';
import { VERSION } from '../config/version.ts';
import type { ModelProvider } from '../domain/ports/model.ts';
import { NO_TRACER } from '../domain/ports/tracer.ts';
import { indexNameOf } from '../domain/index-model.ts';
import { createModels, createOwnModel } from '../models/create-model.ts';
import type { ModelTools } from '../models/create-model.ts';
import { createEmbedders } from '../models/embedding/create-embedders.ts';
import { createTokenCounter } from '../models/tokens/token-counter.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';
import { directoryStoreAt } from '../stores/files/directory-store.ts';
import { createBurstWatch } from '../stores/postgres/capture/burst-flag.ts';
import { localOwner } from '../stores/postgres/capture/transcripts.ts';
import { resealAll } from '../stores/postgres/access/reseal.ts';
import { createDatabase } from '../stores/postgres/connection/database.ts';
import { createServedIndexOf } from '../stores/postgres/embeddings/served-index.ts';
import type { BudgetAlert } from '../stores/postgres/usage/budgets.ts';
import type { UsageOwner } from '../stores/postgres/usage/usage-ledger.ts';
import { createTemporalClient } from '../stores/temporal/client.ts';
import { createWorkflowHints } from '../stores/temporal/hints.ts';
import { createRunningWorkflows } from '../stores/temporal/running-workflows.ts';
import { createStartJob } from '../stores/temporal/start-workflow.ts';
import { createWeaviateIndex } from '../stores/weaviate/weaviate-index.ts';
import { createDropLog } from '../telemetry/drop-log.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Tracing } from '../telemetry/tracing.ts';
import type { CreateExporter } from '../telemetry/tracing.ts';
import { activityAttributes, createActivityLog, noteActivitySpan } from './activity-log.ts';
import { measureMachine } from '../telemetry/process-metrics.ts';
import { createWorkerMetrics } from '../telemetry/worker-metrics.ts';
import { backupActivitiesOf, journalsOf } from './backup-activities.ts';
import { erasureActivitiesOf, restoreActivitiesOf } from './erasure-and-restore.ts';
import { createMaintenancePools, maintenanceUrlOf } from './pools.ts';
import { createWorkerScrape } from './worker-scrape.ts';

/** The model is freed after this time without work; loading it again takes a fifth of a second. */
const EMBEDDER_IDLE_MS = 30_000;

/** The only place where the worker's activities meet what they stand on. `createExporter`: null where nothing is traced (`loadExporter`). */
export function createWorkerDependencies(config: Config, logger: Logger, createExporter: CreateExporter | null = null) {
  const metrics = createWorkerMetrics(VERSION);
  const spans = createExporter?.(createDropLog(logger, metrics.telemetryDropped)) ?? null;
  const tracer =
    spans === null
      ? NO_TRACER
      : new Tracing({ source: spans, share: 0, ofUnits: activityAttributes, onUnit: noteActivitySpan });
  const clock = { now: () => Date.now() };
  const onSearchable = (seconds: number) => metrics.sessionSearchable.observe(seconds);
  const onIdleError = (error: Error) => logger.warn({ error: error.name }, 'an idle PostgreSQL connection was lost');
  const database = createDatabase({
    privateRows: 'all',
    url: config.database.url,
    max: config.database.poolMax,
    connectTimeoutMs: config.database.connectTimeoutMs,
    statementTimeoutMs: config.database.statementTimeoutMs,
    applicationName: 'recollect-worker',
    onIdleError,
    onQuery: (seconds) => metrics.queryDuration.observe(seconds),
  });
  const { maintenance, longStatements } = createMaintenancePools(config, onIdleError);
  const client = createTemporalClient(config.temporal);
  const hintClient = createTemporalClient(config.temporal, 'hints');
  const workflows = createRunningWorkflows(client);
  const hints = createWorkflowHints(hintClient, config.session, {
    ...config.model.batch,
    retryMs: config.session.retryMs,
  });
  const vectors = createWeaviateIndex(config.weaviate);
  const embedders = createEmbedders(
    { ...config, maxClass: config.model.maxClass },
    {
      threads: config.embedding.threads,
      idleUnloadMs: EMBEDDER_IDLE_MS,
    },
  );
  const tokens = createTokenCounter();
  const modelTools: ModelTools = { countTokens: tokens.count, now: clock.now, environment: processEnvironment() };
  const models = createModels(config.model, modelTools);
  const own = createOwnModel(modelTools);
  const modelCalls = {
    database,
    tracer,
    limits: config.model,
    fallback: config.model.overBudget === 'local' ? own : null,
    // The user's own `claude` reads only what that user captured on this machine.
    mayRead: async (provider: ModelProvider, { tenantId, userId }: UsageOwner) => {
      if (provider !== 'claude-cli') return true;
      const own = config.database.maintenanceUrl === undefined ? null : await localOwner(maintenance);
      return own !== null && own.tenantId === tenantId && own.userId === userId;
    },
    onFailover: (provider: ModelProvider, reason: FailoverReason) => {
      metrics.modelFailovers.inc({ provider, reason });
      logger.warn({ provider, reason }, 'a model request goes to the next provider');
    },
    onBudgetAlert: (alert: BudgetAlert) => logger.warn({ ...alert }, 'a user’s daily tokens are nearly spent'),
  };
  const embedder = embedders.wanted;
  const embeddingModel = { name: indexNameOf(embedder.model), dimension: embedder.dimension };
  const indexOf = createServedIndexOf(database, embedders, embeddingModel);
  const isBurst = createBurstWatch(database.pool);
  // Summaries are the tenant's: no private learning is part of them.
  const knownNear: ReadKnown = (tenantId, { projectId, namespace }, about, signal) =>
    readKnown(
      { database, embedder, indexOf, vectors },
      { tenantId, projectId, namespace, ownerId: null },
      about,
      signal,
    );
  const erasure = erasureActivitiesOf(config, {
    database,
    maintenanceUrl: maintenanceUrlOf(config),
    onIdleError,
    vectors,
    hints,
    embeddingModel,
    clock,
  });
  const sweeps = createMaintenanceActivities({
    database,
    maintenance,
    hints,
    startJob: createStartJob(hintClient),
    workflows,
    vectors,
    indexName: embeddingModel.name,
    cacheEntries: config.embedding.cacheEntries,
    idleMs: config.session.idleMs,
    auditDays: config.audit.days,
    measure: measureMachine,
  });
  const restore = restoreActivitiesOf(config, { maintenance, vectors, hints, client });
  return {
    activities: {
      session: createSessionActivities({
        database,
        tokens,
        embeddingModel,
        hints,
        clock,
        maxBatchCalls: config.model.batch.maxCalls,
        hasBatches: models.batching !== null,
        tracer,
        onSearchable,
      }),
      model: {
        ...createSummariseActivities({
          database,
          models,
          modelCalls,
          embeddingModel,
          hints,
          clock,
          isBurst,
          tracer,
          // A paid model gets only the glossary: with the current knowledge, no request for a window would equal a cached one.
          ...(models.large.every(({ provider }) => provider === 'local') ? { readKnown: knownNear } : {}),
        }),
        ...createModelBatchActivities({
          database,
          model: models.batching ?? own,
          modelCalls,
          embeddingModel,
          hints,
          clock,
        }),
        ...createLearningActivities({
          database,
          models,
          modelCalls,
          embeddingModel,
          hints,
          embedder,
          indexOf,
          vectors,
          clock,
          tracer,
        }),
      },
      embedding: createIndexActivities({
        database,
        embedders,
        vectors,
        isBurst,
        onSearchable,
        cacheEntries: config.embedding.cacheEntries,
        tracer,
      }),
      transcripts: {
        ...createClaudeMemActivities({
          database,
          embeddingModel,
          hints,
          roots: config.claudeMem.roots,
          now: clock.now,
        }),
        ...createTranscriptActivities({
          database,
          hints,
          objects: directoryStoreAt(config.fullValuesDir),
          now: clock.now,
          watch: {
            ...config.transcripts,
            idleMs: config.session.idleMs,
            excludeGlobs: config.captureExclude,
            owner: () =>
              config.database.maintenanceUrl === undefined ? Promise.resolve(null) : localOwner(maintenance),
          },
        }),
      },
      sweeps,
      maintenance: {
        ...backupActivitiesOf(config, { maintenance, databaseUrl: maintenanceUrlOf(config), vectors, isBurst }),
        ...restore.activities,
        ...createConsistencyActivities({
          database,
          maintenance: longStatements,
          vectors,
          hints,
          workflows,
          repairs: config.consistency.repair,
        }),
        ...createStatisticsActivities({ maintenance: longStatements }),
        ...createAuditActivities({
          database,
          maintenance: longStatements,
          stores: journalsOf(config),
          signingKey: config.backups.signingKey,
        }),
        ...erasure.activities,
        ...createReindexActivities({ database, vectors, hints, embeddingModel, graceMs: config.embedding.graceMs }),
        ...createConsolidationActivities({ database, embedder, indexOf, vectors, hints, clock }),
        ...createRetentionActivities({
          database,
          maintenance: longStatements,
          hints,
          embeddingModel,
          archives: archiveStoreAt(config.archive.address, config.s3),
          objects: directoryStoreAt(config.fullValuesDir),
          clock,
        }),
      },
    },
    /** Seals secrets of the database with the first key; null without keys or the maintenance role. @throws Error without PostgreSQL */
    resealSecrets: async () => {
      const ring = readKeyRing(config.secretKeys);
      return ring === null || config.database.maintenanceUrl === undefined ? null : resealAll(maintenance, ring);
    },
    modelName: models.name,
    /** Returns the metrics of this process in Prometheus' text format. */
    scrape: createWorkerScrape(config, metrics, { app: database.pool, maintenance, long_statements: longStatements }),
    isBurst,
    activityLog: createActivityLog(logger),
    client,
    /** After the workers have drained: clients first, stores last. */
    async close() {
      // Beside the rest: a slow collector delays nothing.
      const exported = spans?.close();
      await hintClient.connection.close();
      await client.connection.close();
      await embedders.close();
      await vectors.close();
      await restore.close();
      await erasure.close();
      await longStatements.end();
      await maintenance.end();
      await database.close();
      await exported;
    },
  };
}

export type WorkerDependencies = ReturnType<typeof createWorkerDependencies>;
