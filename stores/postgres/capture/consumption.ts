import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import type { CutWindow, WindowRow } from '../../../domain/windows.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { millisColumn, rowOf } from '../connection/rows.ts';
import type { SessionPhase } from '../../../domain/jobs.ts';

/** A session as the consumption step reads it. */
export interface IntakeSession {
  readonly projectId: string | null;
  readonly lastSeq: number;
  readonly consumedSeq: number;
  readonly windowedSeq: number;
  readonly infer: boolean;
  readonly lastEventAtMs: number;
  /** The last stored row is the session's end. */
  readonly endsHere: boolean;
  readonly windows: number;
}

/** Null if the session is missing or deleted. */
export async function readIntakeSession(
  transaction: TenantTransaction,
  sessionId: string,
): Promise<IntakeSession | null> {
  const session = await transaction.session.findUnique({
    where: { id: sessionId },
    select: {
      projectId: true,
      lastSeq: true,
      consumedSeq: true,
      windowedSeq: true,
      infer: true,
      lastEventAt: true,
      status: true,
      _count: { select: { windows: true } },
    },
  });
  if (session === null || session.status === 'deleted') return null;
  const last = await transaction.boundary.findUnique({
    where: { sessionId_seq: { sessionId, seq: session.lastSeq } },
    select: { kind: true },
  });
  return {
    projectId: session.projectId,
    lastSeq: session.lastSeq,
    consumedSeq: session.consumedSeq,
    windowedSeq: session.windowedSeq,
    infer: session.infer,
    lastEventAtMs: session.lastEventAt.getTime(),
    endsHere: last?.kind === 'session_end',
    windows: session._count.windows,
  };
}

const newRow = rowOf({
  id: z.string(),
  seq: z.number(),
  role: z.enum(['prompt', 'observation']),
  title: z.string(),
  content: z.string(),
  occurred_at: z.date(),
});

/** A captured row that is not consumed yet. */
export type NewRow = Omit<DatedRow, 'occurredAt'>;
/** The same with the time of its event. */
export type DatedRow = Readonly<z.output<typeof newRow>>;

/** Returns rows after `afterSeq` up to `toSeq`, in order. */
export async function readNewRows(
  transaction: TenantTransaction,
  sessionId: string,
  afterSeq: number,
  toSeq: number,
): Promise<DatedRow[]> {
  const rows = await transaction.$queryRaw`
    SELECT id, seq, 'prompt' AS role, '' AS title, content, occurred_at FROM prompts WHERE session_id = ${sessionId}::uuid AND seq > ${afterSeq} AND seq <= ${toSeq}
    UNION ALL
    SELECT id, seq, 'observation', title, content, occurred_at FROM observations WHERE session_id = ${sessionId}::uuid AND seq > ${afterSeq} AND seq <= ${toSeq}
    ORDER BY seq`;
  return z.array(newRow).parse(rows);
}

/** Writes counted tokens and the words for keyword search. */
export async function fillRows(
  transaction: TenantTransaction,
  rows: readonly (Omit<NewRow, 'seq'> & { readonly tokens: number })[],
): Promise<void> {
  for (const role of ['prompt', 'observation'] as const) {
    const some = rows.filter((row) => row.role === role);
    if (some.length === 0) continue;
    const ids = some.map((row) => row.id);
    const tokens = some.map((row) => row.tokens);
    const [least, most] = [ids.toSorted()[0], ids.toSorted().at(-1)];
    // The bounds on id limit the query to the right partitions.
    if (role === 'prompt') {
      await transaction.$executeRaw`
        UPDATE prompts p SET tokens = v.tokens, search = to_tsvector('english', p.content)
          FROM unnest(${ids}::uuid[], ${tokens}::integer[]) AS v(id, tokens)
         WHERE p.id = v.id AND p.id BETWEEN ${least}::uuid AND ${most}::uuid`;
    } else {
      await transaction.$executeRaw`
        UPDATE observations o SET tokens = v.tokens, search = to_tsvector('english', o.title || ' ' || o.content)
          FROM unnest(${ids}::uuid[], ${tokens}::integer[]) AS v(id, tokens)
         WHERE o.id = v.id AND o.id BETWEEN ${least}::uuid AND ${most}::uuid`;
    }
  }
}

const windowRow = rowOf({
  seq: z.number(),
  tokens: z.number(),
  boundary: z.string().nullable(),
  created_at_ms: millisColumn,
});

/** Returns all rows after the last window, boundaries included: the input of the next windows. */
export async function readUnwindowed(
  transaction: TenantTransaction,
  sessionId: string,
  afterSeq: number,
  toSeq: number,
): Promise<WindowRow[]> {
  const rows = await transaction.$queryRaw`
    SELECT seq, tokens, NULL::text AS boundary, created_at AS created_at_ms FROM prompts WHERE session_id = ${sessionId}::uuid AND seq > ${afterSeq} AND seq <= ${toSeq}
    UNION ALL
    SELECT seq, tokens, NULL, created_at FROM observations WHERE session_id = ${sessionId}::uuid AND seq > ${afterSeq} AND seq <= ${toSeq}
    UNION ALL
    SELECT seq, 0, kind, created_at FROM boundaries WHERE session_id = ${sessionId}::uuid AND seq > ${afterSeq} AND seq <= ${toSeq}
    ORDER BY seq`;
  return z.array(windowRow).parse(rows);
}

export interface IntakeProgress {
  readonly consumedSeq: number;
  readonly windowedSeq: number;
  readonly firstN: number;
  readonly windows: readonly CutWindow[];
  /** Ends the session in the same statement, unless something new was captured. */
  readonly settles: boolean;
  /** Chunks of the step, which are committed to the ledger. */
  readonly requested: number;
  /** Phase and workflow of the session; null leaves them unchanged. */
  readonly shown: { readonly phase: SessionPhase; readonly workflowId: string } | null;
}

const advanceRow = rowOf({
  /** False if another run advanced the session meanwhile: nothing was written, and the caller repeats the step. */
  advanced: z.boolean(),
  windows_pending: z.number(),
  windows_parked: z.number(),
  settled: z.boolean(),
  /** The index workflow finds the requested chunks without a hint. */
  index_works: z.boolean(),
});
export type IntakeAdvance = z.output<typeof advanceRow>;

/**
 * Advances a session and inserts its new windows; returns the number of windows by state. One statement that commits by itself: the row of the
 * session is locked for no longer than PostgreSQL needs.
 */
export async function advanceConsumption(
  pool: pg.Pool,
  tenantId: TenantId,
  sessionId: string,
  before: IntakeSession,
  progress: IntakeProgress,
): Promise<IntakeAdvance> {
  const cut = progress.windows.map((window) => ({
    from_seq: window.fromSeq,
    to_seq: window.toSeq,
    tokens: window.tokens,
    reason: window.reason,
  }));
  const result = await pool.query({
    name: 'advance_consumption',
    text: 'SELECT advanced, windows_pending, windows_parked, settled, index_works FROM advance_consumption($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [
      tenantId,
      sessionId,
      before.consumedSeq,
      before.windowedSeq,
      progress.consumedSeq,
      progress.windowedSeq,
      progress.firstN,
      JSON.stringify(cut),
      progress.shown?.phase ?? null,
      progress.shown?.workflowId ?? null,
      progress.settles,
      progress.requested,
    ],
  });
  return advanceRow.parse(result.rows[0]);
}
