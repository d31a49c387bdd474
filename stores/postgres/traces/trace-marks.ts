import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { MOST_MARKS, readMark } from '../../../domain/trace-mark.ts';
import type { Marks } from '../../../domain/ports/tracer.ts';
import type { Database, NamedRead, TenantTransaction } from '../connection/database.ts';

/** Positions of a session that are searched for marks: those of a session captured at once may be thousands. */
const MOST_POSITIONS = 1_000;

const markRows = z.array(z.object({ mark: z.instanceof(Uint8Array), total: z.coerce.number() }));

function marksOf(rows: unknown): Marks {
  const found = markRows.parse(rows);
  return {
    marks: found.flatMap(({ mark }) => readMark(Buffer.from(mark).toString('hex')) ?? []),
    total: found[0]?.total ?? 0,
  };
}

async function read(database: Database, tenantId: TenantId, statement: NamedRead): Promise<Marks> {
  return marksOf(await database.readAsTenant(tenantId, (run) => run(statement)));
}

/** Distinct marks of positions `seq` of the session `$1`, the newest first. */
const OF_SESSION = (range: string) => `
  SELECT mark, count(*) OVER () AS total
    FROM (SELECT mark, max(seq) AS seq
            FROM (SELECT mark, seq FROM trace_marks WHERE session_id = $1 AND ${range} ORDER BY seq DESC LIMIT ${MOST_POSITIONS}) AS newest
           GROUP BY mark) AS marks
   ORDER BY seq DESC LIMIT ${MOST_MARKS}`;

/** Returns the marks of the positions of a session from `fromSeq` to `toSeq`. */
export function marksOfRange(
  database: Database,
  tenantId: TenantId,
  sessionId: string,
  { fromSeq, toSeq }: { readonly fromSeq: number; readonly toSeq: number },
): Promise<Marks> {
  return read(database, tenantId, {
    name: 'marks_of_range',
    text: OF_SESSION('seq BETWEEN $2 AND $3'),
    values: [sessionId, fromSeq, toSeq],
  });
}

/** Returns the marks of a session. */
export function marksOfSession(database: Database, tenantId: TenantId, sessionId: string): Promise<Marks> {
  return read(database, tenantId, { name: 'marks_of_session', text: OF_SESSION('true'), values: [sessionId] });
}

/**
 * Returns the marks of the captured rows that chunks of the ledger derive from: the rows themselves, the range of a summary, the session of a
 * learning. The newest of each session come first, so that a batch of many sessions continues or links them all.
 */
export function marksOfChunks(database: Database, tenantId: TenantId, ids: readonly string[]): Promise<Marks> {
  return read(database, tenantId, {
    name: 'marks_of_chunks',
    text: `
      WITH claimed AS MATERIALIZED (
        SELECT DISTINCT e.session_id, e.resource_type, e.resource_id FROM embeddings e
         WHERE e.id = ANY ($1::uuid[]) AND EXISTS (SELECT FROM trace_marks m WHERE m.session_id = e.session_id)
      ), places AS (
        SELECT c.session_id, p.seq AS from_seq, p.seq AS to_seq FROM claimed c JOIN prompts p ON p.id = c.resource_id WHERE c.resource_type = 'prompt'
        UNION ALL
        SELECT c.session_id, o.seq, o.seq FROM claimed c JOIN observations o ON o.id = c.resource_id WHERE c.resource_type = 'observation'
        UNION ALL
        SELECT c.session_id, u.from_seq, u.to_seq FROM claimed c JOIN summaries u ON u.id = c.resource_id WHERE c.resource_type = 'summary'
        UNION ALL
        SELECT c.session_id, 0, 2147483647 FROM claimed c WHERE c.resource_type = 'learning'
      ), found AS (
        SELECT m.mark, max(m.created_at) AS created_at, row_number() OVER (PARTITION BY m.session_id ORDER BY max(m.seq) DESC) AS place
          FROM places r
         CROSS JOIN LATERAL (SELECT * FROM trace_marks WHERE session_id = r.session_id AND seq BETWEEN r.from_seq AND r.to_seq ORDER BY seq DESC LIMIT ${MOST_POSITIONS}) AS m
         GROUP BY m.session_id, m.mark
      )
      SELECT mark, count(*) OVER () AS total FROM found GROUP BY mark ORDER BY min(place), max(created_at) DESC LIMIT ${MOST_MARKS}`,
    values: [ids],
  });
}

/** Returns the ids of the traces of some positions of a session, in their order, without duplicates. */
export async function traceIdsOf(
  transaction: TenantTransaction,
  sessionId: string,
  seqs: readonly number[],
): Promise<string[]> {
  const { marks } = marksOf(
    await transaction.$queryRaw`
      SELECT mark, 0 AS total FROM trace_marks WHERE session_id = ${sessionId}::uuid AND seq = ANY (${seqs}::integer[]) ORDER BY seq`,
  );
  return [...new Set(marks.map(({ traceId }) => traceId))];
}
