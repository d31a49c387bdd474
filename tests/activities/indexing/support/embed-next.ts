import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createIndexActivities } from '../../../../activities/indexing/create-index-activities.ts';
import type { TenantId } from '../../../../domain/ids.ts';
import type { Embedder } from '../../../../domain/ports/embedder.ts';
import type { VectorIndex } from '../../../../domain/ports/vector-index.ts';
import type { Database } from '../../../../stores/postgres/connection/database.ts';
import type { IndexActivities } from '../../../../workflows/indexing/types.ts';

/** An embedder that counts its calls and can fail. */
export function countingEmbedder(fail: (texts: readonly string[]) => Error | null = () => null, model = 'counting') {
  const calls: string[][] = [];
  const embedder: Embedder = {
    model,
    dimension: 2,
    embed: (texts, _purpose, _signal, onUsage) => {
      const failure = fail(texts);
      if (failure !== null) return Promise.reject(failure);
      calls.push([...texts]);
      onUsage?.({ provider: 'http', model: 'counting', tokens: texts.length, costUsd: 0.5, latencyMs: 1 });
      return Promise.resolve(texts.map((text) => new Float32Array([Math.cos(text.length), Math.sin(text.length)])));
    },
    calibration: null,
    likeness: (cosine) => cosine,
    ready: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  };
  return { embedder, calls, read: () => calls.flat() };
}

type EmbedBatchResult = Awaited<ReturnType<IndexActivities['embedBatch']>>;

/** Of which tenant, and where to. */
export interface EmbedWhere {
  readonly database: Database;
  readonly tenantId: TenantId;
  readonly vectors: VectorIndex;
  readonly cacheEntries: number;
}

/** Runs one step of the index: embeds pending chunks by `embedder`, or by `other` for an index of its model. */
export async function embedNext({ tenantId, ...where }: EmbedWhere, embedder: Embedder, other = embedder) {
  const activities = createIndexActivities({
    ...where,
    embedders: {
      wanted: embedder,
      of: (model) => [embedder, other].find((one) => one.model === model) ?? null,
      close: () => Promise.resolve(),
    },
    isBurst: () => Promise.resolve(false),
    onSearchable: () => undefined,
  });
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  return environment.run<[], EmbedBatchResult, () => Promise<EmbedBatchResult>>(() =>
    activities.embedBatch({ tenantId }),
  );
}
