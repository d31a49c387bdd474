import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import { VECTOR_SOURCES } from '../../../domain/trace-steps.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import type { CapturedEvent } from '../capture/captured-events.ts';
import { traceIdsOf } from '../traces/trace-marks.ts';

/** Summaries, learnings and chunks of one answer. */
const MAX_TEXTS = 50;
const MAX_CHUNKS = 100;

const sessionRow = rowOf({
  id: z.string(),
  host: z.string(),
  external_id: z.string(),
  title: z.string().nullable(),
  status: z.string(),
  project: z.string().nullable(),
  consumed_seq: z.number(),
  infer: z.boolean(),
});
const tracedRow = rowOf({
  id: z.string(),
  kind: z.enum(['prompt', 'observation', 'boundary']),
  seq: z.number(),
  type: z.string(),
  tool: z.string().nullable(),
  agent_id: z.string().nullable(),
  tokens: z.number(),
  words: z.boolean(),
  redactions: z.unknown(),
  occurred_at: z.date(),
  received_at: z.date(),
});
const windowRow = rowOf({
  n: z.number(),
  reason: z.string(),
  state: z.string(),
  attempts: z.number(),
  error: z.string().nullable(),
  created_at: z.date(),
});
const textRow = rowOf({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  /** It quotes the event, or was only made from the same window or session. */
  quotes: z.boolean(),
  created_at: z.date(),
});
const chunkRow = rowOf({
  memory_id: z.string(),
  memory_type: z.string(),
  chunk: z.number(),
  model: z.string(),
  state: z.string(),
  attempts: z.number(),
  error: z.string().nullable(),
  object_id: z.string(),
  indexed_at: z.date().nullable(),
});

const vectorTimes = rowOf({
  of: z.enum(VECTOR_SOURCES),
  requested_at: z.date(),
  indexed_at: z.date().nullable(),
});

export type TracedText = z.output<typeof textRow>;

/** Everything that the database knows of one event, from its capture to its vectors. */
export interface EventTrace {
  readonly session: z.output<typeof sessionRow>;
  readonly rows: readonly z.output<typeof tracedRow>[];
  readonly window: z.output<typeof windowRow> | null;
  readonly summaries: readonly TracedText[];
  readonly learnings: readonly TracedText[];
  readonly embeddings: readonly z.output<typeof chunkRow>[];
  /** Times of the vectors of the rows, of the summaries and of the learnings. */
  readonly vectors: readonly z.output<typeof vectorTimes>[];
  /** Traces of the requests that captured it, in hex. */
  readonly traceIds: readonly string[];
}

/** Follows an event through the tables, each by an index. Null if its session is missing or restricted. */
export async function traceEvent(transaction: TenantTransaction, event: CapturedEvent): Promise<EventTrace | null> {
  const { sessionId } = event;
  const seqs = event.rows.map((row) => row.seq);
  const ids = event.rows.map((row) => row.id);
  const [session] = z.array(sessionRow).parse(
    await transaction.$queryRaw`
      SELECT s.id, s.host, s.external_id, s.title, s.status, p.display_name AS project, s.consumed_seq, s.infer
        FROM sessions s LEFT JOIN projects p ON p.id = s.project_id WHERE s.id = ${sessionId}::uuid AND ${Prisma.raw(isNotRestricted('s.id', 's.user_id'))}`,
  );
  if (session === undefined) return null;
  const rows = z.array(tracedRow).parse(
    await transaction.$queryRaw`
      SELECT id, 'prompt' AS kind, seq, type, NULL::text AS tool, agent_id, tokens, search IS NOT NULL AS words, redactions, occurred_at, created_at AS received_at
        FROM prompts WHERE session_id = ${sessionId}::uuid AND seq = ANY (${seqs}::integer[])
      UNION ALL
      SELECT id, 'observation', seq, type, tool, agent_id, tokens, search IS NOT NULL, redactions, occurred_at, created_at
        FROM observations WHERE session_id = ${sessionId}::uuid AND seq = ANY (${seqs}::integer[])
      UNION ALL
      SELECT id, 'boundary', seq, kind, NULL, agent_id, 0, true, NULL, occurred_at, created_at
        FROM boundaries WHERE session_id = ${sessionId}::uuid AND seq = ANY (${seqs}::integer[])
      ORDER BY seq`,
  );
  const [window] = z.array(windowRow).parse(
    await transaction.$queryRaw`
      SELECT n, reason, state, attempts, error, created_at FROM windows
       WHERE session_id = ${sessionId}::uuid AND from_seq <= ${seqs[0] ?? 0} AND to_seq >= ${seqs[0] ?? 0} LIMIT 1`,
  );
  const summaries = z.array(textRow).parse(
    await transaction.$queryRaw`
      SELECT id, coalesce(kind, type) AS type, title, created_at,
             EXISTS (SELECT FROM jsonb_array_elements(evidence) AS piece WHERE piece ->> 'rowId' = ANY (${ids}::text[])) AS quotes
        FROM summaries WHERE session_id = ${sessionId}::uuid AND published AND from_seq <= ${seqs.at(-1) ?? 0} AND to_seq >= ${seqs[0] ?? 0}
       ORDER BY quotes DESC, id LIMIT ${MAX_TEXTS}`,
  );
  const learnings = z.array(textRow).parse(
    await transaction.$queryRaw`
      SELECT l.id, l.category AS type, l.title, l.created_at, true AS quotes FROM learnings l
       WHERE l.id IN (SELECT learning_id FROM learning_evidence WHERE session_id = ${sessionId}::uuid AND row_id = ANY (${ids}::uuid[]))
       ORDER BY l.id LIMIT ${MAX_TEXTS}`,
  );
  const embeddings = z.array(chunkRow).parse(
    await transaction.$queryRaw`
      SELECT resource_id AS memory_id, resource_type AS memory_type, chunk, model, state, attempts, error, object_id, indexed_at
        FROM embeddings WHERE resource_id = ANY (${ids}::uuid[]) ORDER BY resource_id, chunk LIMIT ${MAX_CHUNKS}`,
  );
  const memories = [...ids, ...summaries.map(({ id }) => id), ...learnings.map(({ id }) => id)];
  // The id of a chunk contains the time of its request.
  const vectors = z.array(vectorTimes).parse(
    await transaction.$queryRaw`
      SELECT CASE WHEN resource_type IN ('summary', 'learning') THEN resource_type ELSE 'row' END AS of, min(uuid_extract_timestamp(id)) AS requested_at,
             CASE WHEN bool_and(state = 'indexed' AND indexed_at IS NOT NULL) THEN max(indexed_at) END AS indexed_at
        FROM embeddings WHERE resource_id = ANY (${memories}::uuid[]) AND state <> 'filling' AND uuid_extract_timestamp(id) IS NOT NULL GROUP BY 1`,
  );
  const traceIds = await traceIdsOf(transaction, sessionId, seqs);
  return { session, rows, window: window ?? null, summaries, learnings, embeddings, vectors, traceIds };
}

const tombstoneRow = rowOf({ host: z.string(), external_id: z.string(), forgotten_at: z.date() });

/**
 * Returns the sessions in which a key of this tenant was forgotten, by its hash: at most ten. `viewerId`: only of that user; undefined for
 * an admin, who sees all.
 */
export async function tombstonesOf(
  transaction: TenantTransaction,
  given: string,
  viewerId: string | undefined,
): Promise<z.output<typeof tombstoneRow>[]> {
  const hashes = [given, `tool:${given}`, `delivery:${given}:0`, given.replace(/@\d+$/, '')].map(
    (key) => new Uint8Array(createHash('sha256').update(`key:${key}`, 'utf8').digest()),
  );
  const rows = await transaction.$queryRaw`
    SELECT t.host, t.external_id, t.created_at AS forgotten_at FROM tombstones t
     WHERE t.key_sha256 = ANY (${hashes}::bytea[])
       AND (${viewerId ?? null}::uuid IS NULL OR t.user_id = ${viewerId ?? null}::uuid)
     ORDER BY t.created_at DESC LIMIT 10`;
  return z.array(tombstoneRow).parse(rows);
}
