import { createConsolidationActivities } from '../activities/consolidation/create-consolidation-activities.ts';
import { createIndexActivities } from '../activities/indexing/create-index-activities.ts';
import { createLearningActivities } from '../activities/learning/create-learning-activities.ts';
import { createModelBatchActivities } from '../activities/model-batch/create-model-batch-activities.ts';
import { createMaintenanceActivities } from '../activities/maintenance/create-maintenance-activities.ts';
import { createReindexActivities } from '../activities/reindex/create-reindex-activities.ts';
import { createSessionActivities } from '../activities/session/create-session-activities.ts';
import { createTranscriptActivities } from '../activities/transcripts/create-transcript-activities.ts';
import { readKnown } from '../activities/learning/compare-drafts.ts';
import { createSummariseActivities } from '../activities/summarise/create-summarise-activities.ts';
import type { ReadKnown } from '../activities/summarise/create-summarise-activities.ts';
import { backupActivitiesOf } from './backup-activities.ts';
import { erasureActivitiesOf, restoreActivitiesOf } from './erasure-and-restore.ts';
import type { Config } from '../config/config.ts';
import { indexNameOf } from '../domain/index-model.ts';
import type { IndexModel } from '../domain/index-model.ts';
import { createEmbedders } from '../models/embedding/create-embedders.ts';
import { createModel } from '../models/create-model.ts';
import type { ModelTools } from '../models/create-model.ts';
import { createLocalModel } from '../models/local/model.ts';
import { createTokenCounter } from '../models/tokens/token-counter.ts';
import { directoryStoreAt } from '../stores/files/directory-store.ts';
import type { BudgetAlert } from '../stores/postgres/usage/budgets.ts';
import { createDatabase } from '../stores/postgres/connection/database.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { createBurstWatch } from '../stores/postgres/capture/burst-flag.ts';
import { createServedIndexOf } from '../stores/postgres/embeddings/served-index.ts';
import { localOwner } from '../stores/postgres/capture/transcripts.ts';
import { createTemporalClient } from '../stores/temporal/client.ts';
import { createWorkflowHints } from '../stores/temporal/hints.ts';
import { createWeaviateIndex } from '../stores/weaviate/weaviate-index.ts';
import { createMaintenancePools, maintenanceUrlOf } from './pools.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createClaudeMemActivities } from '../activities/claude-mem/create-claude-mem-activities.ts';
import type { ClaudeMemDependencies } from '../activities/claude-mem/create-claude-mem-activities.ts';
import type { ClaudeMemActivities } from '../workflows/imports/types.ts';
import type pg from 'pg';
import type { Client } from '@temporalio/client';
import { createConsistencyActivities } from '../activities/consistency/create-consistency-activities.ts';
import { createStatisticsActivities } from '../activities/statistics/create-statistics-activities.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';
import { createRunningWorkflows } from '../stores/temporal/running-workflows.ts';
import { createRetentionActivities } from '../activities/retention/create-retention-activities.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';

/** Activities of the maintenance queue for retention and archives. */
function createWorkerRetention(
  config: Config,
  parts: {
    readonly database: Database;
    readonly maintenance: pg.Pool;
    readonly hints: WorkflowHints;
    readonly embeddingModel: IndexModel;
  },
) {
  return createRetentionActivities({
    ...parts,
    archives: archiveStoreAt(config.archive.address, config.s3),
    objects: directoryStoreAt(config.fullValuesDir),
    clock: { now: () => Date.now() },
  });
}

interface CheckParts {
  readonly config: Config;
  readonly database: Database;
  readonly maintenance: pg.Pool;
  readonly client: Client;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
}

/** Activities that compare the stores and that write down figures. */
function createCheckActivities({ config, database, maintenance, client, vectors, hints }: CheckParts) {
  const workflows = createRunningWorkflows(client);
  return {
    ...createConsistencyActivities({
      database,
      maintenance,
      vectors,
      hints,
      workflows,
      repairs: config.consistency.repair,
    }),
    ...createStatisticsActivities({ maintenance }),
  };
}

/** Imports from claude-mem, as the settings allow them. */
function createClaudeMemActivitiesOf({
  config,
  ...stores
}: Pick<ClaudeMemDependencies, 'database' | 'embeddingModel' | 'hints'> & {
  readonly config: Config;
}): ClaudeMemActivities {
  return createClaudeMemActivities({ ...stores, roots: config.claudeMem.roots, now: () => Date.now() });
}

/** Texts × longest text of one run of the embedding model: larger runs were measured to cost memory and to gain no speed. */
const MAX_BATCH_TOKENS = 1_024;
/** The model is freed after this time without work; loading it again takes a fifth of a second. */
const EMBEDDER_IDLE_MS = 30_000;

/** The only place where the worker's activities meet what they stand on. */
export function createWorkerDependencies(config: Config, logger: Logger) {
  const clock = { now: () => Date.now() };
  const onIdleError = (error: Error) => logger.warn({ error: error.name }, 'an idle PostgreSQL connection was lost');
  const database = createDatabase({
    url: config.database.url,
    max: config.database.poolMax,
    connectTimeoutMs: config.database.connectTimeoutMs,
    statementTimeoutMs: config.database.statementTimeoutMs,
    applicationName: 'recollect-worker',
    onIdleError,
  });
  const { maintenance, keeping } = createMaintenancePools(config, onIdleError);
  const client = createTemporalClient(config.temporal);
  const hintClient = createTemporalClient(config.temporal, 'hints');
  const hints = createWorkflowHints(hintClient, config.session, {
    ...config.model.batch,
    retryMs: config.session.retryMs,
  });
  const vectors = createWeaviateIndex(config.weaviate);
  const embedders = createEmbedders(config, {
    threads: config.embedding.threads,
    maxBatchTokens: MAX_BATCH_TOKENS,
    idleUnloadMs: EMBEDDER_IDLE_MS,
  });
  const tokens = createTokenCounter();
  const modelTools: ModelTools = {
    countTokens: tokens.count,
    now: clock.now,
    // Sentences of a window are compared with each other alone: a provider is not paid for that.
    embed: (texts, signal) => embedders.local.embed(texts, 'sentence', signal),
  };
  const model = createModel(config.model, modelTools);
  const modelCalls = {
    database,
    limits: config.model,
    fallback: config.model.overBudget === 'local' ? createLocalModel(modelTools) : null,
    onBudgetAlert: (alert: BudgetAlert) => logger.warn({ ...alert }, 'a user’s daily tokens are nearly spent'),
  };
  const embedder = embedders.wanted;
  const embeddingModel = { name: indexNameOf(embedder.model), dimension: embedder.dimension };
  const indexOf = createServedIndexOf(database, embedders, embeddingModel);
  const isBurst = createBurstWatch(database.pool);
  const knownNear: ReadKnown = (tenantId, { projectId, namespace }, about, signal) =>
    readKnown({ database, embedder, indexOf, vectors }, { tenantId, projectId, namespace }, about, signal);
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
    maintenance,
    hints,
    vectors,
    indexName: embeddingModel.name,
    cacheEntries: config.embedding.cacheEntries,
    idleMs: config.session.idleMs,
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
        hasBatches: model.batches !== null,
      }),
      model: {
        ...createSummariseActivities({
          database,
          model,
          modelCalls,
          embeddingModel,
          hints,
          clock,
          isBurst,
          // A paid model gets only the glossary: with the current knowledge, no request for a window would equal a cached one.
          ...(model.provider === 'local' ? { readKnown: knownNear } : {}),
        }),
        ...createModelBatchActivities({ database, model, modelCalls, embeddingModel, hints, clock }),
        ...createLearningActivities({
          database,
          model,
          modelCalls,
          embeddingModel,
          hints,
          embedder,
          indexOf,
          vectors,
          clock,
        }),
      },
      embedding: createIndexActivities({
        database,
        embedders,
        vectors,
        isBurst,
        cacheEntries: config.embedding.cacheEntries,
      }),
      transcripts: {
        ...createClaudeMemActivitiesOf({ config, database, embeddingModel, hints }),
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
        ...createCheckActivities({ config, database, maintenance: keeping, client, vectors, hints }),
        ...erasure.activities,
        ...createReindexActivities({ database, vectors, hints, embeddingModel, graceMs: config.embedding.graceMs }),
        ...createConsolidationActivities({ database, embedder, indexOf, vectors, hints, clock }),
        ...createWorkerRetention(config, { database, maintenance: keeping, hints, embeddingModel }),
      },
    },
    modelName: model.name,
    isBurst,
    client,
    /** After the workers have drained: clients first, stores last. */
    async close() {
      await hintClient.connection.close();
      await client.connection.close();
      await embedders.close();
      await vectors.close();
      await restore.close();
      await erasure.close();
      await keeping.end();
      await maintenance.end();
      await database.close();
    },
  };
}

export type WorkerDependencies = ReturnType<typeof createWorkerDependencies>;
