import { z } from 'zod';
import type { CaptureEvent } from '../../../domain/capture/event.ts';
import { chunkText } from '../../../domain/chunking.ts';
import type { RowOutcome } from '../../../domain/claude-mem/counts.ts';
import { captureEvents } from '../capture/capture.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { requestEmbeddings } from '../embeddings/embedding-ledger.ts';
import type { EmbeddingModel } from '../embeddings/embedding-ledger.ts';
import { fillRows } from '../capture/consumption.ts';
import type { NewRow } from '../capture/consumption.ts';
import type { SourceRows } from './ledger.ts';
import type { CurrentSession } from './sessions.ts';

export interface PlacedEvent {
  readonly session: CurrentSession;
  readonly event: CaptureEvent;
}

const promptRow = z.object({ session_id: z.string(), sha256: z.string() });

/** Returns the prompts of these sessions that hooks or transcripts delivered, as `session hash`: claude-mem recorded the same texts. */
export async function servedPrompts(
  transaction: TenantTransaction,
  placed: readonly PlacedEvent[],
): Promise<ReadonlySet<string>> {
  const sessions = [...new Set(placed.filter(({ session }) => session.lastSeq > 0).map(({ session }) => session.id))];
  const hashes = placed.flatMap(({ event }) =>
    event.rows.flatMap((row) => (row.kind === 'prompt' ? [row.sha256] : [])),
  );
  if (sessions.length === 0 || hashes.length === 0) return new Set();
  const rows = await transaction.$queryRaw`
    SELECT p.session_id, encode(p.sha256, 'hex') AS sha256 FROM prompts p JOIN capture_keys k ON k.session_id = p.session_id AND k.seq = p.seq AND k.source <> 'import'
     WHERE p.session_id = ANY (${sessions}::uuid[]) AND p.sha256 = ANY (SELECT decode(h, 'hex') FROM unnest(${hashes}::text[]) AS h)`;
  return new Set(
    z
      .array(promptRow)
      .parse(rows)
      .map((row) => `${row.session_id} ${row.sha256}`),
  );
}

/** Returns true if a hook or a transcript delivered this text already. */
export function isServed(served: ReadonlySet<string>, { session, event }: PlacedEvent): boolean {
  return event.rows.some((row) => row.kind === 'prompt' && served.has(`${session.id} ${row.sha256}`));
}

/** Captures events inside the transaction, each with what became of it. */
export async function captureImported(
  transaction: TenantTransaction,
  placed: readonly PlacedEvent[],
): Promise<RowOutcome[]> {
  if (placed.length === 0) return [];
  const results = await captureEvents(
    {
      query: async ({ text, values }) => ({
        rows: z.array(z.unknown()).parse(await transaction.$queryRawUnsafe(text, ...values)),
      }),
    },
    placed.map(({ event }) => event),
  );
  return results.map(({ status }) =>
    status === 'accepted' ? 'imported' : status === 'duplicate' ? 'present' : 'refused',
  );
}

/**
 * Processes imported prompts as the session's workflow would, without reopening their sessions: the summaries come from claude-mem, without a
 * model request. A session that is active here, or has unconsumed rows, is left to its workflow.
 */
export async function settlePrompts(
  transaction: TenantTransaction,
  { tenantId }: SourceRows,
  model: EmbeddingModel,
  captured: readonly PlacedEvent[],
): Promise<void> {
  const added = new Map<string, { readonly session: CurrentSession; events: number }>();
  const taken: { readonly sessionId: string; readonly row: NewRow & { readonly tokens: number } }[] = [];
  for (const { session, event } of captured) {
    if (session.status === 'active' || session.consumedSeq !== session.lastSeq) continue;
    const entry = added.get(session.id) ?? { session, events: 0 };
    entry.events += event.rows.length;
    added.set(session.id, entry);
    for (const row of event.rows)
      if (row.kind === 'prompt')
        taken.push({
          sessionId: session.id,
          row: { id: row.id, seq: 0, role: 'prompt', title: '', content: row.content, tokens: row.tokens },
        });
  }
  await fillRows(
    transaction,
    taken.map(({ row }) => row),
  );
  await requestEmbeddings(
    transaction,
    tenantId,
    model,
    taken.map(({ sessionId, row }) => ({ type: 'prompt', id: row.id, sessionId, chunks: chunkText('', row.content) })),
  );
  const settled = [...added.values()].map(({ session, events }) => ({
    id: session.id,
    seq: session.lastSeq + events,
    status: session.status,
    ended_at: session.endedAt?.toISOString() ?? null,
  }));
  await transaction.$executeRaw`
    UPDATE sessions s SET consumed_seq = s.last_seq, windowed_seq = s.last_seq, learned_seq = s.last_seq, status = v.status, phase = 'settled',
           ended_at = greatest(v.ended_at, s.last_event_at)
      FROM json_to_recordset(${JSON.stringify(settled)}::json) AS v(id uuid, seq integer, status text, ended_at timestamptz)
     WHERE s.id = v.id AND s.last_seq = v.seq`;
}
