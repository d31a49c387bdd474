import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { inject } from 'vitest';
import { createLearningActivities } from '../../../../activities/learning/create-learning-activities.ts';
import type { NeighbourDependencies } from '../../../../activities/learning/compare-drafts.ts';
import { findModelFiles } from '../../../../infra/bootstrap/model-files.ts';
import type { LearningDraft, LearningInput, ModelPort, PreparedCall } from '../../../../domain/ports/model.ts';
import { DEFAULT_PRESET } from '../../../../domain/embedding-presets.ts';
import { createOnnxEmbedder } from '../../../../models/embedding/onnx-embedder.ts';
import { createWeaviateIndex } from '../../../../stores/weaviate/weaviate-index.ts';
import type { LearningResult } from '../../../../workflows/session/types.ts';
import { sessionOf } from '../../../setup/demo-session.ts';
import type { TestInstance } from '../../../setup/instance.ts';
import { captured } from '../../../setup/small-session.ts';
import { portOf } from '../../support/paid-model.ts';

/** The external model's response for a session, quoting the first prompt. */
export type ScriptedLearning = Partial<LearningDraft> & Pick<LearningDraft, 'description'>;

/** An external model with scripted responses that records its requests. */
function scriptedModel(scripted: readonly ScriptedLearning[], given: LearningInput[]): ModelPort {
  return {
    ...portOf('local'),
    prepareLearnings: (input) => {
      given.push(input);
      const [row] = input.prompts;
      const drafts = scripted.map((draft): LearningDraft => ({
        category: 'best_practice',
        title: draft.description.slice(0, 60),
        context: '',
        examples: [],
        tags: [],
        confidence: 0.6,
        evidence: row === undefined ? [] : [{ rowId: row.id, quote: row.content }],
        ...draft,
      }));
      const call: PreparedCall<readonly LearningDraft[]> = {
        provider: 'local',
        model: 'scripted',
        promptVersion: '1',
        requestText: '',
        inputTokens: 1,
        maxTokensOut: 1,
        maxUsd: 0,
        read: () => ({ ok: true, output: drafts }),
        send: () =>
          Promise.resolve({
            text: '',
            reading: { ok: true, output: drafts },
            usage: {
              provider: 'local',
              model: 'scripted',
              inputTokens: 1,
              outputTokens: 1,
              tokensCached: 0,
              tokensCacheWritten: 0,
              costUsd: 0,
              batch: false,
              latencyMs: 1,
            },
          }),
        repair: () => Promise.reject(new Error('not used')),
      };
      return Promise.resolve(call);
    },
  };
}

/** Hints that reach no workflow. */
export const NO_HINTS = {
  session: () => Promise.resolve(),
  index: () => Promise.resolve(),
  modelBatch: () => Promise.resolve(),
  reindex: () => Promise.resolve(),
};

export interface Classroom {
  readonly dependencies: NeighbourDependencies;
  /** Inputs of the model, in order. */
  readonly given: LearningInput[];
  /** Captures one prompt as a session and extracts its learnings; returns the session's row id. */
  teach(
    session: string,
    scripted: readonly ScriptedLearning[],
    options?: { readonly at?: string; readonly project?: string; readonly key?: string },
  ): Promise<string>;
  /** Extracts learnings of a session again, as after more captures. */
  again(sessionId: string, scripted: readonly ScriptedLearning[]): Promise<number>;
  close(): Promise<void>;
}

/** Extraction by the real activity, stores and embedder, optionally unavailable. */
export async function createClassroom(
  instance: TestInstance,
  unavailable: { readonly embedder?: boolean; readonly vectors?: boolean } = {},
): Promise<Classroom> {
  const files = await findModelFiles({ cacheDir: inject('cacheDir'), environment: {} });
  const modelDir = unavailable.embedder === true || files === null ? '/nowhere' : files.directory;
  const embedder = createOnnxEmbedder({ preset: DEFAULT_PRESET, modelDir, threads: 2 });
  const { weaviate } = instance.config;
  // Nothing listens on port 9.
  const vectors = createWeaviateIndex(
    unavailable.vectors === true ? { ...weaviate, url: 'http://127.0.0.1:9', grpcPort: 9 } : weaviate,
  );
  const indexOf = () => Promise.resolve({ name: embedder.model, embedder });
  const dependencies = { database: instance.db.database, embedder, indexOf, vectors };
  const given: LearningInput[] = [];

  const learn = async (sessionId: string, scripted: readonly ScriptedLearning[]): Promise<number> => {
    await instance.write('UPDATE sessions SET consumed_seq = last_seq, learned_seq = 0 WHERE id = $1', [sessionId]);
    const model = scriptedModel(scripted, given);
    const activities = createLearningActivities({
      ...dependencies,
      models: { name: 'scripted', large: [model], ofWindow: () => [model], batching: null },
      modelCalls: { database: instance.db.database, limits: instance.config.model, fallback: null },
      embeddingModel: DEFAULT_PRESET,
      hints: NO_HINTS,
      clock: { now: () => Date.now() },
    });
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    const ref = { tenantId: instance.admin.tenantId, sessionId };
    const result: LearningResult = await environment.run(() => activities.extractLearnings(ref));
    return result.written;
  };

  return {
    dependencies,
    given,
    async teach(session, scripted, { at, project = '/src/taught', key } = {}) {
      const events = [
        {
          host: 'test',
          session_id: session,
          project: { path: project },
          type: 'prompt',
          content: `What ${session} taught`,
          key: session,
          ...(at === undefined ? {} : { occurred_at: at }),
        },
      ];
      await captured(instance, events, key);
      const { id } = await sessionOf(instance, `test:${session}`);
      await learn(id, scripted);
      return id;
    },
    again: learn,
    async close() {
      await embedder.close();
      await vectors.close();
    },
  };
}

export interface StoredLearning {
  readonly id: string;
  readonly description: string;
  readonly confidence: number;
  readonly version: number;
  readonly previous_id: string | null;
  readonly superseded_by: string | null;
  readonly reason: string | null;
  readonly disputes: string | null;
  readonly open: boolean;
  readonly visibility: string;
  readonly user_id: string;
  readonly sessions: number;
}

/** Every learning of the tenant, oldest first. */
export async function learningsOf(instance: TestInstance): Promise<readonly StoredLearning[]> {
  const rows = await instance.rows<StoredLearning>(
    `SELECT id, description, confidence::float8 AS confidence, version, previous_id, superseded_by, reason, disputes, valid_to IS NULL AS open, visibility, user_id,
            (SELECT count(DISTINCT session_id) FROM learning_evidence e WHERE e.learning_id = l.id)::integer AS sessions
       FROM learnings l WHERE tenant_id = $1 ORDER BY id`,
    [instance.admin.tenantId],
  );
  return rows;
}
