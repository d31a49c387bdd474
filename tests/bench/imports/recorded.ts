import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { embeddedText, placeChunks } from '../../../activities/indexing/place-chunks.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { createDatabase } from '../../../stores/postgres/connection/database.ts';
import { rowOf, tenantColumn } from '../../../stores/postgres/connection/rows.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitUnderstood, replaySessions, sharedHooks } from '../summarise/replay.ts';
import { bareRate } from './bare-rate.ts';
import { usageOf, usagePerSession } from './usage.ts';
import type { Usage } from './usage.ts';

const TIMEOUT_MS = 3_600_000;
const SAMPLE = 300;

const chunkRows = z.array(
  rowOf({
    id: z.string(),
    tenant_id: tenantColumn,
    type: z.enum(MEMORY_TYPES),
    memory_id: z.string(),
    chunk: z.number(),
    object_id: z.string(),
    revision: z.number(),
  }),
);

/** Returns what the model read of some chunks. */
async function sampleOfTexts(instance: BenchInstance): Promise<readonly string[]> {
  const { rows } = await instance.database.query(
    `SELECT id, tenant_id, resource_type AS type, resource_id AS memory_id, chunk, object_id, revision
       FROM (SELECT DISTINCT ON (embedded_hash) * FROM embeddings WHERE session_id IN (SELECT id FROM sessions WHERE host = 'claude-code')) AS e
      ORDER BY md5(embedded_hash) LIMIT $1`,
    [SAMPLE],
  );
  const chunks = chunkRows.parse(rows);
  const tenantId = chunks[0]?.tenantId;
  if (tenantId === undefined) throw new Error('the recorded sessions have no chunks');
  const database = createDatabase({
    privateRows: 'all',
    url: instance.appDatabaseUrl,
    max: 1,
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    applicationName: 'bench',
    onIdleError: () => undefined,
  });
  try {
    const { placed } = await database.readAsTenant(tenantId, (read) => placeChunks(read, chunks));
    return placed.map((chunk) => embeddedText(chunk, undefined));
  } finally {
    await database.close();
  }
}

/** Replays the recorded sessions one after another; measures the time from the first event until all are settled and indexed, beside the model alone. */
export async function settleRecorded(instance: BenchInstance, rest: readonly [Usage, Usage]) {
  const sessions = sharedHooks();
  const before = await usageOf(instance);
  const ids = await replaySessions(instance, sessions);
  const replayedMs = performance.now();
  await awaitUnderstood(instance, ids, { vectors: true, timeoutMs: TIMEOUT_MS });
  const after = await usageOf(instance);
  const { rows } = await instance.database.query<{ chunks: number; texts: number }>(
    `SELECT count(*)::integer AS chunks, count(DISTINCT embedded_hash)::integer AS texts
       FROM embeddings WHERE session_id IN (SELECT id FROM sessions WHERE host = 'claude-code')`,
  );
  const { chunks = 0, texts = 0 } = rows[0] ?? {};
  const bare = await bareRate(await sampleOfTexts(instance), availableParallelism());
  const seconds = (after.atMs - before.atMs) / 1_000;
  const { cpu_ms: cpu } = usagePerSession(rest, [before, after], sessions.length);
  const spentMs = Object.values(cpu).reduce((sum, ms) => sum + ms, 0) * sessions.length;
  const rounded = (value: number) => Math.round(value * 100) / 100;
  return {
    sessions: sessions.length,
    events: sessions.reduce((sum, hooks) => sum + hooks.length, 0),
    chunks,
    different_texts: texts,
    replayed_s: rounded((replayedMs - before.atMs) / 1_000),
    settled_s: rounded(seconds),
    bare_texts_per_s: rounded(bare.chunksPerSecond),
    time_beside_bare: rounded((seconds * bare.chunksPerSecond) / texts),
    cpu_beside_bare: rounded(spentMs / texts / bare.cpuMs),
    cpu_ms_per_session: cpu,
  };
}
