import type pg from 'pg';
import { z } from 'zod';
import { FIRST_ID } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { sessionPages } from './sessions.ts';
import { idsOf, rowOf } from '../connection/rows.ts';

const memoryRows = z.array(rowOf({ id: z.string(), type: z.enum(MEMORY_TYPES), session_id: z.string().nullable() }));

/** A memory that the ledger of an index does not have. */
export type UntrackedMemory = z.output<typeof memoryRows>[number];

const IS_LISTED = 'EXISTS (SELECT FROM embeddings e WHERE e.resource_id = m.id AND e.model = $2)';
/** Newer memories are left to the next check: they are being written and requested. */
const SETTLED = "m.created_at < now() - interval '1 minute'";

/**
 * Rows that their session's workflow consumed, and published summaries. A text that is no memory has no chunks and no ledger row: PostgreSQL detects blank ones of
 * captured rows, the chunker all others. PostgreSQL reads only the texts that are missing in the ledger (OFFSET prevents it from reading them first).
 */
const OF_SESSIONS = `
  SELECT u.id, 'observation' AS type, u.session_id FROM (
    SELECT m.id, m.session_id, m.content, m.title FROM sessions s JOIN observations m ON m.session_id = s.id AND m.seq <= s.consumed_seq
     WHERE s.id = ANY ($1::uuid[]) AND s.status <> 'deleted' AND NOT ${IS_LISTED} OFFSET 0) AS u
   WHERE u.content ~ '\\S' OR u.title ~ '\\S'
  UNION ALL
  SELECT u.id, 'prompt', u.session_id FROM (
    SELECT m.id, m.session_id, m.content FROM sessions s JOIN prompts m ON m.session_id = s.id AND m.seq <= s.consumed_seq
     WHERE s.id = ANY ($1::uuid[]) AND s.status <> 'deleted' AND NOT ${IS_LISTED} OFFSET 0) AS u
   WHERE u.content ~ '\\S'
  UNION ALL
  SELECT m.id, 'summary', m.session_id FROM summaries m JOIN sessions s ON s.id = m.session_id
   WHERE s.id = ANY ($1::uuid[]) AND s.status <> 'deleted' AND m.published AND ${SETTLED} AND NOT ${IS_LISTED}`;

const OF_LEARNINGS = `
  SELECT m.id, 'learning' AS type, m.session_id FROM learnings m WHERE m.tenant_id = $1 AND m.valid_to IS NULL AND ${SETTLED} AND NOT ${IS_LISTED}
   AND m.id > $3 ORDER BY m.id LIMIT $4`;

const LEARNINGS = 1_000;

/** Memories of a tenant that the ledger of this index does not have, in pages: session by session, so that no statement is longer for a larger instance. */
export async function* untrackedMemories(
  maintenance: pg.Pool,
  tenantId: TenantId,
  model: string,
): AsyncGenerator<readonly UntrackedMemory[]> {
  for await (const sessionIds of sessionPages(maintenance, tenantId)) {
    const { rows } = await maintenance.query(OF_SESSIONS, [sessionIds, model]);
    yield memoryRows.parse(rows);
  }
  let after = FIRST_ID;
  for (;;) {
    const { rows } = await maintenance.query(OF_LEARNINGS, [tenantId, model, after, LEARNINGS]);
    const learnings = memoryRows.parse(rows);
    yield learnings;
    const last = learnings.at(-1);
    if (last === undefined || learnings.length < LEARNINGS) return;
    after = last.id;
  }
}

/** Returns those of the memories that are still missing in the ledger. */
export async function stillUntracked(
  maintenance: pg.Pool,
  model: string,
  memories: readonly UntrackedMemory[],
): Promise<UntrackedMemory[]> {
  const { rows } = await maintenance.query(`SELECT m.id FROM unnest($1::uuid[]) AS m(id) WHERE NOT ${IS_LISTED}`, [
    memories.map(({ id }) => id),
    model,
  ]);
  const ids = new Set(idsOf(rows));
  return memories.filter(({ id }) => ids.has(id));
}
