import { z } from 'zod';
import { DATA_CLASSES, UNSUMMARISED } from '../../../domain/data-classes.ts';
import type { SourceRow, WindowInput } from '../../../domain/ports/model.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { isoColumn, rowOf } from '../connection/rows.ts';

/** The rows of a session between two positions, in the order they were captured. */
export interface RowRange {
  readonly sessionId: string;
  /** First position, inclusive. */
  readonly fromSeq: number;
  /** Last position, inclusive. */
  readonly toSeq: number;
}

const sourceRow = rowOf({
  id: z.string(),
  seq: z.number(),
  role: z.enum(['prompt', 'observation']),
  type: z.enum(['user', 'assistant', 'system', 'tool', 'tool_result', 'error', 'warning', 'info']),
  tool: z.string().nullable(),
  title: z.string(),
  content: z.string(),
  tokens: z.number(),
  data_class: z.enum(DATA_CLASSES),
  files_read: z.array(z.string()),
  files_modified: z.array(z.string()),
  occurred_at: isoColumn,
});

const sourceRows = z.array(sourceRow);

const PROMPT_COLUMNS = Prisma.sql`id, seq, 'prompt' AS role, type, NULL::text AS tool, '' AS title, content, tokens, data_class, '{}'::text[] AS files_read, '{}'::text[] AS files_modified, occurred_at`;
const OBSERVATION_COLUMNS = Prisma.sql`id, seq, 'observation' AS role, type, tool, title, content, tokens, data_class, files_read, files_modified, occurred_at`;

/** Prompts and observations of a range, ordered by (occurred_at, seq): the reading order. */
export async function readRows(transaction: TenantTransaction, range: RowRange): Promise<SourceRow[]> {
  const rows = await transaction.$queryRaw`
    SELECT ${PROMPT_COLUMNS} FROM prompts WHERE session_id = ${range.sessionId}::uuid AND seq BETWEEN ${range.fromSeq} AND ${range.toSeq}
    UNION ALL
    SELECT ${OBSERVATION_COLUMNS} FROM observations WHERE session_id = ${range.sessionId}::uuid AND seq BETWEEN ${range.fromSeq} AND ${range.toSeq}
    ORDER BY occurred_at, seq`;
  return sourceRows.parse(rows);
}

/** The prompts of a session in order: the first `head` and the last `tail` of them. */
export async function readPrompts(
  transaction: TenantTransaction,
  sessionId: string,
  head: number,
  tail: number,
): Promise<SourceRow[]> {
  const rows = await transaction.$queryRaw`
    SELECT * FROM (
      (SELECT ${PROMPT_COLUMNS} FROM prompts WHERE session_id = ${sessionId}::uuid ORDER BY seq LIMIT ${head})
      UNION
      (SELECT ${PROMPT_COLUMNS} FROM prompts WHERE session_id = ${sessionId}::uuid ORDER BY seq DESC LIMIT ${tail})
    ) AS edge ORDER BY occurred_at, seq`;
  return sourceRows.parse(rows);
}

const requestRow = z.object({ content: z.string(), dataClass: z.enum(DATA_CLASSES) });

/** The last user prompt before a position; null when there is none. */
export async function precedingRequest(
  transaction: TenantTransaction,
  sessionId: string,
  beforeSeq: number,
): Promise<WindowInput['precedingRequest']> {
  const found = await transaction.prompt.findFirst({
    where: { sessionId, seq: { lt: beforeSeq }, type: 'user' },
    orderBy: { seq: 'desc' },
    select: { content: true, dataClass: true },
  });
  return found === null ? null : requestRow.parse(found);
}

/** Rows by id, and of each the `after` rows that followed it in its session: what a learning may quote. */
export async function readRowsAround(
  transaction: TenantTransaction,
  sessionId: string,
  ids: readonly string[],
  after: number,
): Promise<SourceRow[]> {
  const rows = await transaction.$queryRaw`
    WITH cited AS (
      SELECT seq FROM prompts WHERE session_id = ${sessionId}::uuid AND id = ANY (${ids}::uuid[])
      UNION SELECT seq FROM observations WHERE session_id = ${sessionId}::uuid AND id = ANY (${ids}::uuid[])
      UNION SELECT seq FROM observations WHERE session_id = ${sessionId}::uuid AND type = 'error'
    ), wanted AS (SELECT DISTINCT seq + step AS seq FROM cited CROSS JOIN generate_series(0, ${after}::integer) AS step)
    SELECT ${PROMPT_COLUMNS} FROM prompts WHERE session_id = ${sessionId}::uuid AND seq IN (SELECT seq FROM wanted)
    UNION ALL
    SELECT ${OBSERVATION_COLUMNS} FROM observations WHERE session_id = ${sessionId}::uuid AND seq IN (SELECT seq FROM wanted)
    ORDER BY occurred_at, seq`;
  return sourceRows.parse(rows);
}

/** The rows of a session that have these ids, in the reading order. */
export async function readRowsById(
  transaction: TenantTransaction,
  sessionId: string,
  ids: readonly string[],
): Promise<SourceRow[]> {
  if (ids.length === 0) return [];
  const rows = await transaction.$queryRaw`
    SELECT ${PROMPT_COLUMNS} FROM prompts WHERE session_id = ${sessionId}::uuid AND id = ANY (${ids}::uuid[])
    UNION ALL
    SELECT ${OBSERVATION_COLUMNS} FROM observations WHERE session_id = ${sessionId}::uuid AND id = ANY (${ids}::uuid[])
    ORDER BY occurred_at, seq`;
  return sourceRows.parse(rows);
}

/** Files touched by the tools of a session, and the time of its last row. */
export interface SessionTrace {
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
  readonly lastOccurredAt: Date;
}

const traceRow = z.object({
  files_read: z.array(z.string()),
  files_modified: z.array(z.string()),
  last_at: z.date().nullable(),
});

/** Returns the files of a session by the evidence of its tool inputs, without those that only rows outside summaries name. */
export async function readTrace(transaction: TenantTransaction, sessionId: string): Promise<SessionTrace> {
  const rows = await transaction.$queryRaw`
    SELECT ARRAY(SELECT DISTINCT file FROM observations o, unnest(o.files_read) AS file WHERE o.session_id = ${sessionId}::uuid AND o.data_class <> ALL (${UNSUMMARISED}::text[]) ORDER BY file) AS files_read,
           ARRAY(SELECT DISTINCT file FROM observations o, unnest(o.files_modified) AS file WHERE o.session_id = ${sessionId}::uuid AND o.data_class <> ALL (${UNSUMMARISED}::text[]) ORDER BY file) AS files_modified,
           greatest((SELECT max(occurred_at) FROM observations WHERE session_id = ${sessionId}::uuid), (SELECT max(occurred_at) FROM prompts WHERE session_id = ${sessionId}::uuid)) AS last_at`;
  const [row] = z.array(traceRow).length(1).parse(rows);
  return {
    filesRead: row?.files_read ?? [],
    filesModified: row?.files_modified ?? [],
    lastOccurredAt: row?.last_at ?? new Date(),
  };
}
