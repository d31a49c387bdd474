import { v7 } from 'uuid';
import { chunkText } from '../../../domain/chunking.ts';
import type { ImportedSummary } from '../../../domain/claude-mem/drafts.ts';
import { naturalKey } from '../../../domain/claude-mem/events.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { requestEmbeddings } from '../embeddings/embedding-ledger.ts';
import type { EmbeddingModel } from '../embeddings/embedding-ledger.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import type { SourceRows } from './ledger.ts';
import { idsOf } from '../connection/rows.ts';

export interface PlacedSummary {
  readonly sourceId: number;
  readonly sessionId: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly atMs: number;
  readonly summary: ImportedSummary;
}

const IMPORTANCE = { item: 0.5, session: 0.8 } as const;

/** Writes summaries in one statement, requests their vectors and publishes the newest of each session. */
export async function writeImportedSummaries(
  transaction: TenantTransaction,
  rows: SourceRows,
  model: EmbeddingModel,
  placed: readonly PlacedSummary[],
): Promise<void> {
  if (placed.length === 0) return;
  const made = placed.map(({ sourceId, sessionId, userId, projectId, atMs, summary }) => ({
    // By their own time, so that lists of the newest are not full of the oldest.
    id: v7({ msecs: atMs }),
    n: sourceId,
    session_id: sessionId,
    user_id: userId,
    project_id: projectId,
    slot: naturalKey(rows.source, rows.table, sourceId),
    type: summary.type,
    kind: summary.kind,
    title: summary.title,
    content: summary.content,
    request: summary.request,
    investigated: summary.investigated,
    learned: summary.learned,
    completed: summary.completed,
    next_steps: summary.nextSteps,
    notes: summary.notes,
    key_points: summary.keyPoints.map((text) => ({ text, evidence: [] })),
    tags: summary.tags,
    files_read: summary.filesRead,
    files_modified: summary.filesModified,
    importance: IMPORTANCE[summary.type],
    model: summary.model,
    input_tokens: summary.tokens,
    metadata: summary.metadata,
    at: new Date(atMs).toISOString(),
  }));
  // Looked up once a statement: where the planner knows little of the table yet, for each row it went through all rows of the tenant.
  const versioned = [...new Set(made.filter(({ type }) => type === 'session').map((row) => row.session_id))];
  const written = idsOf(
    await transaction.$queryRaw`
      WITH earlier AS MATERIALIZED (
        SELECT session_id, max(version) AS version FROM summaries WHERE session_id = ANY (${versioned}::uuid[]) AND type = 'session' GROUP BY 1)
      INSERT INTO summaries (id, tenant_id, session_id, user_id, project_id, slot, type, kind, title, content, request, investigated, learned, completed, next_steps, notes,
                             key_points, tags, files_read, files_modified, importance, model, input_tokens, output_tokens, cost_usd, metadata, version, from_seq, to_seq, occurred_at, created_at)
      SELECT v.id, ${rows.tenantId}::uuid, v.session_id, v.user_id, v.project_id, v.slot, v.type, v.kind, v.title, v.content, v.request, v.investigated, v.learned, v.completed,
             v.next_steps, v.notes, v.key_points, v.tags, v.files_read, v.files_modified, v.importance, v.model, v.input_tokens, 0, 0, v.metadata,
             CASE WHEN v.type = 'session' THEN coalesce(earlier.version, 0) + row_number() OVER (PARTITION BY v.session_id, v.type ORDER BY v.n) ELSE 1 END, 0, 0, v.at, v.at
        FROM json_to_recordset(${JSON.stringify(made)}::json)
          AS v(id uuid, n bigint, session_id uuid, user_id uuid, project_id uuid, slot text, type text, kind text, title text, content text, request text, investigated text,
               learned text, completed text, next_steps text, notes text, key_points jsonb, tags text[], files_read text[], files_modified text[], importance real, model text,
               input_tokens integer, metadata jsonb, at timestamptz)
          LEFT JOIN earlier ON earlier.session_id = v.session_id
      ON CONFLICT (session_id, slot) DO NOTHING RETURNING id`,
  );
  const published = new Set(written);
  for (const id of await withdrawEarlier(transaction, made)) published.delete(id);
  await requestEmbeddings(
    transaction,
    rows.tenantId,
    model,
    made
      .filter(({ id }) => published.has(id))
      .map(({ id, session_id: sessionId, title, content, key_points: points }) => ({
        type: 'summary',
        id,
        sessionId,
        chunks: chunkText(title, [content, ...points.map((point) => point.text)].join('\n')),
      })),
  );
}

/** Of several summaries of a session the newest is published; those before it stay as its versions. What our own pipeline wrote is left alone. */
async function withdrawEarlier(
  transaction: TenantTransaction,
  made: readonly { readonly session_id: string; readonly type: string }[],
): Promise<string[]> {
  const sessions = [...new Set(made.filter(({ type }) => type === 'session').map((row) => row.session_id))];
  if (sessions.length === 0) return [];
  const withdrawn = idsOf(
    await transaction.$queryRaw`
      UPDATE summaries s SET published = false
        FROM (SELECT id, row_number() OVER (PARTITION BY session_id ORDER BY to_seq DESC, occurred_at DESC, version DESC) AS place
                FROM summaries WHERE session_id = ANY (${sessions}::uuid[]) AND type = 'session' AND published) AS r
       WHERE s.id = r.id AND r.place > 1 AND s.slot LIKE 'claude-mem:%' RETURNING s.id`,
  );
  await requestRemoval(transaction, withdrawn);
  return withdrawn;
}
