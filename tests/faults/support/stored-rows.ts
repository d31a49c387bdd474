import { expect } from 'vitest';
import type { AcceptedDelivery } from './clients.ts';
import type { ExpectedRow } from './deliveries.ts';
import type { FaultInstance } from './fault-instance.ts';

/** A row of a session, joined from its table and its capture key. */
interface StoredRow extends ExpectedRow {
  readonly external_id: string;
  readonly seq: number;
  readonly row_id: string;
  /** Number of rows with this position. */
  readonly copies: number;
}

type Queries = Pick<FaultInstance, 'query'>;

/** Returns all rows of sessions from all tables, by position. */
export function storedRows(instance: Queries, externalIds: readonly string[]): Promise<StoredRow[]> {
  return instance.query<StoredRow>(
    `WITH row AS (
       SELECT id, session_id, seq, 'prompt' AS kind, content FROM prompts
       UNION ALL SELECT id, session_id, seq, 'observation', content FROM observations
       UNION ALL SELECT id, session_id, seq, 'boundary', kind FROM boundaries
     ), wanted AS (SELECT id, external_id FROM sessions WHERE external_id = ANY ($1)
     ), known AS (SELECT * FROM capture_keys WHERE session_id IN (SELECT id FROM wanted)
     ), stored AS (SELECT * FROM row WHERE session_id IN (SELECT id FROM wanted))
     SELECT wanted.external_id, coalesce(known.seq, stored.seq) AS seq, coalesce(known.key, 'NO KEY') AS key, coalesce(stored.kind, 'NO ROW') AS kind,
            stored.content, coalesce(known.row_id, stored.id) AS row_id,
            count(*) OVER (PARTITION BY wanted.id, coalesce(known.seq, stored.seq))::integer AS copies
       FROM known
       FULL JOIN stored ON stored.session_id = known.session_id AND stored.seq = known.seq AND stored.id = known.row_id AND stored.kind = known.kind
       JOIN wanted ON wanted.id = coalesce(known.session_id, stored.session_id)
      ORDER BY 1, 2, 3`,
    [externalIds],
  );
}

/** Asserts that the accepted deliveries are stored once, in the order sent, and nothing else. */
export async function expectStoredOnce(
  instance: Queries,
  accepted: ReadonlyMap<string, readonly AcceptedDelivery[]>,
): Promise<{ readonly rows: number }> {
  const stored = await storedRows(instance, [...accepted.keys()]);
  for (const [externalId, deliveries] of accepted) {
    const own = stored.filter((row) => row.external_id === externalId);
    const wanted = deliveries.flatMap(({ delivery }) => delivery.rows);
    expect(
      own.map(({ seq, key, kind, content, copies }) => ({ seq, key, kind, content, copies })),
      `rows of ${externalId}`,
    ).toEqual(wanted.map((row, index) => ({ seq: index + 1, ...row, copies: 1 })));
    for (const { delivery, rowId } of deliveries) {
      if (rowId === null) continue;
      const first = own.find((row) => row.key === delivery.rows[0]?.key);
      expect(first?.row_id, `row that the response to ${delivery.deliveryId} named`).toBe(rowId);
    }
  }
  return { rows: stored.length };
}
