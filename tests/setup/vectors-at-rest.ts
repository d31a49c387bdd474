import { createWeaviateIndex } from '../../stores/weaviate/weaviate-index.ts';
import type { TestInstance } from './instance.ts';
import { until } from './until.ts';
import { PATIENT_SECONDS } from './weaviate-limits.ts';

/** Awaits that a search finds every vector of the admin's tenant: Weaviate adds them to its graph from a queue, a moment after the write. */
export async function vectorsAtRest({ admin: { tenantId }, config, db }: TestInstance): Promise<void> {
  const rows = await db.rows<{ model: string; dimension: number; chunks: number }>(
    "SELECT model, dimension, count(*)::integer AS chunks FROM embeddings WHERE tenant_id = $1 AND state = 'indexed' GROUP BY 1, 2",
    [tenantId],
  );
  const index = createWeaviateIndex({ ...config.weaviate, timeoutsSeconds: PATIENT_SECONDS });
  try {
    for (const { model, dimension, chunks } of rows)
      await until(
        async () => {
          const hits = await index.nearest(tenantId, model, new Float32Array(dimension).fill(0.05), {}, chunks + 1);
          return hits.length === chunks ? true : undefined;
        },
        undefined,
        'every vector to be searchable',
      );
  } finally {
    await index.close();
  }
}
