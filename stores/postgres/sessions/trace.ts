import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import type { CapturedEvent } from '../capture/captured-events.ts';

/** Everything that the database knows of one event, from its capture to its vectors. */
export interface EventTrace {
  readonly session: {
    readonly id: string;
    readonly host: string;
    readonly externalId: string;
    readonly title: string | null;
    readonly status: string;
    readonly project: string | null;
    readonly consumedSeq: number;
    readonly infer: boolean;
  };
  readonly rows: readonly TracedRow[];
  readonly window: {
    readonly n: number;
    readonly reason: string;
    readonly state: string;
    readonly attempts: number;
    readonly error: string | null;
    readonly createdAt: Date;
  } | null;
  readonly summaries: readonly TracedText[];
  readonly learnings: readonly TracedText[];
  readonly embeddings: readonly TracedChunk[];
}

export interface TracedRow {
  readonly id: string;
  readonly kind: 'prompt' | 'observation' | 'boundary';
  readonly seq: number;
  readonly type: string;
  readonly tool: string | null;
  readonly agentId: string | null;
  readonly tokens: number;
  readonly words: boolean;
  readonly redactions: unknown;
  readonly occurredAt: Date;
  readonly receivedAt: Date;
}

export interface TracedText {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  /** It quotes the event, or was only made from the same window or session. */
  readonly quotes: boolean;
  readonly createdAt: Date;
}

export interface TracedChunk {
  readonly memoryId: string;
  readonly memoryType: string;
  readonly chunk: number;
  readonly model: string;
  readonly state: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly objectId: string;
  readonly indexedAt: Date | null;
}

/** Summaries, learnings and chunks of one answer. */
const MAX_TEXTS = 50;
const MAX_CHUNKS = 100;

const sessionRow = z.object({
  id: z.string(),
  host: z.string(),
  external_id: z.string(),
  title: z.string().nullable(),
  status: z.string(),
  project: z.string().nullable(),
  consumed_seq: z.number(),
  infer: z.boolean(),
});
const tracedRow = z.object({
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
  created_at: z.date(),
});
const windowRow = z.object({
  n: z.number(),
  reason: z.string(),
  state: z.string(),
  attempts: z.number(),
  error: z.string().nullable(),
  created_at: z.date(),
});
const textRow = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  quotes: z.boolean(),
  created_at: z.date(),
});
const chunkRow = z.object({
  resource_id: z.string(),
  resource_type: z.string(),
  chunk: z.number(),
  model: z.string(),
  state: z.string(),
  attempts: z.number(),
  error: z.string().nullable(),
  object_id: z.string(),
  indexed_at: z.date().nullable(),
});

function textsOf(rows: unknown): TracedText[] {
  return z
    .array(textRow)
    .parse(rows)
    .map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
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
      SELECT id, 'prompt' AS kind, seq, type, NULL::text AS tool, agent_id, tokens, search IS NOT NULL AS words, redactions, occurred_at, created_at
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
  const summaries = textsOf(
    await transaction.$queryRaw`
      SELECT id, coalesce(kind, type) AS type, title, created_at,
             EXISTS (SELECT FROM jsonb_array_elements(evidence) AS piece WHERE piece ->> 'rowId' = ANY (${ids}::text[])) AS quotes
        FROM summaries WHERE session_id = ${sessionId}::uuid AND published AND from_seq <= ${seqs.at(-1) ?? 0} AND to_seq >= ${seqs[0] ?? 0}
       ORDER BY quotes DESC, id LIMIT ${MAX_TEXTS}`,
  );
  const learnings = textsOf(
    await transaction.$queryRaw`
      SELECT l.id, l.category AS type, l.title, l.created_at, true AS quotes FROM learnings l
       WHERE l.id IN (SELECT learning_id FROM learning_evidence WHERE session_id = ${sessionId}::uuid AND row_id = ANY (${ids}::uuid[]))
       ORDER BY l.id LIMIT ${MAX_TEXTS}`,
  );
  const chunks = z.array(chunkRow).parse(
    await transaction.$queryRaw`
      SELECT resource_id, resource_type, chunk, model, state, attempts, error, object_id, indexed_at
        FROM embeddings WHERE resource_id = ANY (${ids}::uuid[]) ORDER BY resource_id, chunk LIMIT ${MAX_CHUNKS}`,
  );
  return {
    session: {
      id: session.id,
      host: session.host,
      externalId: session.external_id,
      title: session.title,
      status: session.status,
      project: session.project,
      consumedSeq: session.consumed_seq,
      infer: session.infer,
    },
    rows: rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      seq: row.seq,
      type: row.type,
      tool: row.tool,
      agentId: row.agent_id,
      tokens: row.tokens,
      words: row.words,
      redactions: row.redactions,
      occurredAt: row.occurred_at,
      receivedAt: row.created_at,
    })),
    window: window === undefined ? null : { ...window, createdAt: window.created_at },
    summaries,
    learnings,
    embeddings: chunks.map((row) => ({
      memoryId: row.resource_id,
      memoryType: row.resource_type,
      chunk: row.chunk,
      model: row.model,
      state: row.state,
      attempts: row.attempts,
      error: row.error,
      objectId: row.object_id,
      indexedAt: row.indexed_at,
    })),
  };
}

const tombstoneRow = z.object({ host: z.string(), external_id: z.string(), created_at: z.date() });

/**
 * Returns the sessions in which a key of this tenant was forgotten, by its hash: at most ten. `viewerId`: only of that user; undefined for
 * an admin, who sees all.
 */
export async function tombstonesOf(
  transaction: TenantTransaction,
  given: string,
  viewerId: string | undefined,
): Promise<{ readonly host: string; readonly externalId: string; readonly forgottenAt: Date }[]> {
  const hashes = [given, `tool:${given}`, `delivery:${given}:0`, given.replace(/@\d+$/, '')].map(
    (key) => new Uint8Array(createHash('sha256').update(`key:${key}`, 'utf8').digest()),
  );
  const rows = await transaction.$queryRaw`
    SELECT t.host, t.external_id, t.created_at FROM tombstones t
     WHERE t.key_sha256 = ANY (${hashes}::bytea[])
       AND (${viewerId ?? null}::uuid IS NULL OR t.user_id = ${viewerId ?? null}::uuid)
     ORDER BY t.created_at DESC LIMIT 10`;
  return z
    .array(tombstoneRow)
    .parse(rows)
    .map((row) => ({ host: row.host, externalId: row.external_id, forgottenAt: row.created_at }));
}
