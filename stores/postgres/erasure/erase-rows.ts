import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTable } from '../exports/table-catalog.ts';
import { findCapturedEvents } from '../capture/captured-events.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import type { Found } from './erasures.ts';
import { asJsonPiece, contains } from './find-text.ts';
import { forgetEvent, forgetSession } from './forget.ts';
import type { Forgotten } from './forget.ts';
import { addTombstones } from './forgotten.ts';
import { forgetGraph, pruneGraph } from '../graph/graph-writes.ts';
import { fullValuesOf } from '../capture/full-values.ts';
import { idsOf } from '../connection/rows.ts';

/** Result of an erasure step: rows by table, and the full values of the rows. */
export interface Erased {
  readonly counts: Readonly<Record<string, number>>;
  readonly fullValues: readonly string[];
}

const sessionRows = z.array(z.object({ session_id: z.string() }));

function countsOf({ prompts, observations, boundaries, summaries, evidence, learnings, vectors }: Forgotten) {
  return { prompts, observations, boundaries, summaries, learning_evidence: evidence, learnings, vectors };
}

/** Erases a session with all that was derived from it and served of it. A tombstone of its name prevents a new session. */
export async function eraseSession(transaction: TenantTransaction, sessionId: string): Promise<Erased> {
  const fullValues = await fullValuesOf(transaction, sessionId, null);
  const forgotten = await forgetSession(transaction, sessionId);
  const contexts = await transaction.$executeRaw`DELETE FROM contexts WHERE session_id = ${sessionId}::uuid`;
  await transaction.$executeRaw`DELETE FROM stream_events WHERE session_id = ${sessionId}::uuid`;
  return { counts: { sessions: 1, ...countsOf(forgotten), contexts }, fullValues };
}

/** Erases an event by the id of one of its rows; does nothing if it is missing. */
export async function eraseEvent(transaction: TenantTransaction, rowId: string, sessionId: string): Promise<Erased> {
  const [event] = await findCapturedEvents(transaction, { given: rowId, sessionId, viewerId: undefined });
  if (event === undefined) return { counts: {}, fullValues: [] };
  const fullValues = await fullValuesOf(
    transaction,
    sessionId,
    event.rows.map((row) => row.seq),
  );
  const forgotten = await forgetEvent(transaction, event);
  return { counts: forgotten === null ? {} : countsOf(forgotten), fullValues };
}

/** Erases learnings with their quotes, their part of the graph and their vectors; the rows go, and are not taken again. */
export async function eraseLearnings(transaction: TenantTransaction, ids: readonly string[]): Promise<Erased> {
  if (ids.length === 0) return { counts: {}, fullValues: [] };
  const vectors = await requestRemoval(transaction, ids);
  const quoted = sessionRows.parse(
    await transaction.$queryRaw`DELETE FROM learning_evidence WHERE learning_id = ANY (${ids}::uuid[]) RETURNING session_id`,
  );
  for (const sessionId of new Set(quoted.map((row) => row.session_id))) await forgetGraph(transaction, sessionId, ids);
  await addTombstones(transaction, ids);
  const learnings = await transaction.$executeRaw`DELETE FROM learnings WHERE id = ANY (${ids}::uuid[])`;
  return { counts: { learnings, learning_evidence: quoted.length, vectors }, fullValues: [] };
}

/** Erases summaries, and what of the graph they named. */
export async function eraseSummaries(transaction: TenantTransaction, summaries: Found['summaries']): Promise<Erased> {
  const ids = summaries.map(({ id }) => id);
  if (ids.length === 0) return { counts: {}, fullValues: [] };
  const vectors = await requestRemoval(transaction, ids);
  for (const session of new Set(summaries.flatMap((row) => row.session ?? [])))
    await forgetGraph(transaction, session, ids);
  await addTombstones(transaction, ids);
  const deleted = await transaction.$executeRaw`DELETE FROM summaries WHERE id = ANY (${ids}::uuid[])`;
  return { counts: { summaries: deleted, vectors }, fullValues: [] };
}

/** Erases names of the graph, with all that hangs on them. */
export async function eraseEntities(transaction: TenantTransaction, ids: readonly string[]): Promise<Erased> {
  if (ids.length === 0) return { counts: {}, fullValues: [] };
  await transaction.$executeRaw`DELETE FROM entity_mentions WHERE entity_id = ANY (${ids}::uuid[])`;
  const hanging = idsOf(
    await transaction.$queryRaw`DELETE FROM relations WHERE from_id = ANY (${ids}::uuid[]) OR to_id = ANY (${ids}::uuid[]) RETURNING id`,
  );
  await addTombstones(transaction, ids);
  const { entities } = await pruneGraph(transaction, ids, []);
  return { counts: { entities, relations: hanging.length }, fullValues: [] };
}

/** Erases a text outside of memories: titles of sessions, quotes, cached responses, notes, glossaries. */
export async function eraseBeside(transaction: TenantTransaction, tenantId: string, text: string): Promise<Erased> {
  const values = [text, asJsonPiece(text), tenantId];
  const run = (sql: string): Promise<number> => transaction.$executeRawUnsafe(sql, ...values);
  const remove = (table: string) => run(`DELETE FROM ${table} t WHERE t.tenant_id = $3::uuid AND ${contains(table)}`);
  const titles = await run(
    `UPDATE sessions t SET title = NULL, metadata = '{}', updated_at = now() WHERE t.tenant_id = $3::uuid AND ${contains('sessions')}`,
  );
  await run(
    `UPDATE gdpr_requests t SET state = 'cancelled', body = NULL, finished_at = now(), updated_at = now() WHERE t.tenant_id = $3::uuid AND state = 'waiting' AND ${contains('gdpr_requests')}`,
  );
  return {
    counts: {
      titles,
      learning_evidence: await remove('learning_evidence'),
      entity_mentions: await remove('entity_mentions'),
      relation_evidence: await remove('relation_evidence'),
      model_response_cache: await remove('model_response_cache'),
      memory_uses: await remove('memory_uses'),
      project_glossaries: await remove('project_glossaries'),
    },
    fullValues: [],
  };
}

/** Deactivates a user's keys; returns some of the sessions to be erased. */
export async function closePerson(transaction: TenantTransaction, userId: string, limit: number): Promise<string[]> {
  await transaction.$executeRaw`UPDATE users SET active = false WHERE id = ${userId}::uuid`;
  const rows = await transaction.$queryRaw`
    SELECT id FROM sessions WHERE user_id = ${userId}::uuid AND status <> 'deleted' ORDER BY id LIMIT ${limit}`;
  return idsOf(rows);
}

/** Columns that name the user who did something; the rows remain, without the user. */
const DOERS: ReadonlySet<string> = new Set([
  'user_id',
  'requested_by',
  'created_by',
  'updated_by',
  'verified_by',
  'closed_by',
  'released_by',
  'approved_by',
  'decided_by',
]);
/** Tables that are erased separately, or by their foreign key to the user; tombstones remain, so that no event of the user returns. */
const APART: ReadonlySet<string> = new Set([
  'users',
  'sessions',
  'learnings',
  'usage_ledger',
  'api_keys',
  'tombstones',
]);

/**
 * Erases the remaining data of a person whose sessions were erased: erasure records, served contexts, files, jobs, keys, and the person. Shared
 * learnings with evidence of other users pass to them; usage remains, without the person. `tables` come from the catalog, so that no new table is missed.
 */
export async function erasePerson(
  transaction: TenantTransaction,
  userId: string,
  tables: readonly TenantTable[],
): Promise<Erased> {
  const counts: Record<string, number> = {};
  const projects = idsOf(
    await transaction.$queryRaw`
      SELECT project_id AS id FROM sessions WHERE user_id = ${userId}::uuid AND project_id IS NOT NULL
      UNION SELECT project_id FROM learnings WHERE user_id = ${userId}::uuid AND project_id IS NOT NULL`,
  );
  await transaction.$executeRaw`
    UPDATE learnings l SET user_id = other.user_id, updated_at = now()
      FROM (SELECT DISTINCT ON (e.learning_id) e.learning_id, s.user_id FROM learning_evidence e JOIN sessions s ON s.id = e.session_id
             WHERE s.user_id <> ${userId}::uuid ORDER BY e.learning_id, e.created_at) AS other
     WHERE l.id = other.learning_id AND l.user_id = ${userId}::uuid AND l.origin <> 'user' AND l.visibility = 'shared'`;
  const own = idsOf(await transaction.$queryRaw`SELECT id FROM learnings WHERE user_id = ${userId}::uuid`);
  const erased = await eraseLearnings(transaction, own);
  Object.assign(counts, erased.counts);
  counts['usage_ledger_without_person'] = await transaction.$executeRaw`
    UPDATE usage_ledger SET user_id = NULL, session_id = NULL
     WHERE tenant_id = (SELECT current_tenant_id()) AND (user_id = ${userId}::uuid OR session_id IN (SELECT id FROM sessions WHERE user_id = ${userId}::uuid))`;
  // Tombstones remain; they name the owner by a hash of the id, which is no user's id.
  await transaction.$executeRaw`
    UPDATE tombstones SET user_id = left(encode(sha256(convert_to('user:' || user_id, 'UTF8')), 'hex'), 32)::uuid WHERE user_id = ${userId}::uuid`;
  // The chain remains: its hashes contain a commitment to what is erased here.
  counts['audit_log_addresses'] = await transaction.$executeRaw`
    UPDATE audit_log SET address = NULL, user_agent = NULL, salt = NULL
     WHERE tenant_id = (SELECT current_tenant_id()) AND actor_id = ${userId}::uuid AND salt IS NOT NULL`;
  await transaction.$executeRaw`
    UPDATE gdpr_requests SET state = 'cancelled', body = NULL, finished_at = now(), updated_at = now()
     WHERE tenant_id = (SELECT current_tenant_id()) AND state = 'waiting' AND (user_id = ${userId}::uuid OR requested_by = ${userId}::uuid)`;
  await transaction.$executeRaw`
    UPDATE gdpr_requests SET decision_reason = NULL, extension_reason = NULL
     WHERE tenant_id = (SELECT current_tenant_id()) AND (user_id = ${userId}::uuid OR requested_by = ${userId}::uuid)`;
  // Jobs of the instance have no tenant and are not among the tables.
  await transaction.$executeRaw`UPDATE backups SET requested_by = NULL WHERE requested_by = ${userId}::uuid`;
  await transaction.$executeRaw`UPDATE restores SET requested_by = NULL WHERE requested_by = ${userId}::uuid`;
  // Children before their parents.
  for (const { name, columns } of tables.toReversed()) {
    for (const column of columns.filter((each) => DOERS.has(each.name))) {
      const isHis = `"${column.name}" = '${z.uuid().parse(userId)}'`;
      if (column.isNullable)
        await transaction.$executeRaw`UPDATE ${Prisma.raw(`"${name}" SET "${column.name}" = NULL WHERE ${isHis}`)}`;
      else if (column.name === 'user_id' && !APART.has(name)) {
        const deleted = await transaction.$executeRaw`DELETE FROM ${Prisma.raw(`"${name}" WHERE ${isHis}`)}`;
        if (deleted > 0) counts[name] = deleted;
      }
    }
  }
  await transaction.$executeRaw`DELETE FROM sessions WHERE user_id = ${userId}::uuid`;
  // Names, remotes and paths of projects that no other user has.
  counts['projects'] = await transaction.$executeRaw`
    DELETE FROM projects p
     WHERE p.id = ANY (${projects}::uuid[]) AND NOT EXISTS (SELECT FROM sessions s WHERE s.project_id = p.id) AND NOT EXISTS (SELECT FROM learnings l WHERE l.project_id = p.id)
       AND NOT EXISTS (SELECT FROM summaries u WHERE u.project_id = p.id) AND NOT EXISTS (SELECT FROM entities e WHERE e.project_id = p.id)`;
  counts['users'] = await transaction.$executeRaw`DELETE FROM users WHERE id = ${userId}::uuid`;
  return { counts, fullValues: [] };
}

const objectRows = z.array(z.object({ model: z.string(), id: z.string() }));

/** Returns the locations of vectors that must be removed, newest first: they are checked at the end. */
export async function vectorsToGo(transaction: TenantTransaction, limit: number): Promise<Found['objects']> {
  return objectRows.parse(
    await transaction.$queryRaw`
      SELECT model, object_id AS id FROM embedding_removals WHERE tenant_id = (SELECT current_tenant_id()) ORDER BY resource_id DESC, id DESC LIMIT ${limit}`,
  );
}
