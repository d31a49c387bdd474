import type { Clock } from '../../domain/ports/clock.ts';
import type { ModelPort } from '../../domain/ports/model.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { ModelCallDependencies } from '../model-call.ts';

/** What the steps of a provider batch stand on. */
export interface BatchDependencies {
  readonly database: Database;
  readonly model: ModelPort;
  readonly modelCalls: ModelCallDependencies;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
}
