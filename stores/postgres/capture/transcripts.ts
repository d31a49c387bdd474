import type pg from 'pg';
import { z } from 'zod';
import { BOUNDARY_KINDS, PROMPT_TYPES } from '../../../domain/capture/event.ts';
import type { EventOwner, HostEvent } from '../../../domain/capture/event.ts';
import { asId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import type { Duplicate } from '../../../domain/transcripts/match.ts';
import type { Captured, Pin, StoredSession, TranscriptStore } from '../../../domain/transcripts/store.ts';
import { viewOfUser } from '../connection/database.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { millisColumn, rowOf } from '../connection/rows.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import { forgottenWords } from '../erasure/forgotten.ts';
import { blockHolds, isUnderLegalHold } from '../retention/legal-holds.ts';

/** Agent host whose transcripts are read. */
export const TRANSCRIPT_HOST = 'claude-code';
/** Separators in the keys of the second and later rows of an event. */
const PART_SUFFIX = '[#\u001f][0-9]+$';
/** Sessions with more prompts are compared by their last ones. */
const MAX_PROMPTS = 20_000;

const sessionRow = rowOf({
  session_id: z.string(),
  status: z.string(),
  last_seq: z.number(),
  last_source: z.string().nullable(),
});
const promptRow = rowOf({
  row_id: z.string(),
  seq: z.number(),
  type: z.enum(PROMPT_TYPES),
  agent_id: z.string().nullable(),
  sha256: z.string(),
  at_ms: millisColumn,
  own_time: z.boolean(),
  source: z.string(),
  taken: z.boolean(),
  hashes: z.array(z.string()),
});
const boundaryRow = rowOf({
  kind: z.enum(BOUNDARY_KINDS),
  agent_id: z.string().nullable(),
  seq: z.number(),
  at_ms: millisColumn,
});

const SESSION = `SELECT s.id AS session_id, s.status, s.last_seq, k.source AS last_source FROM sessions s
  LEFT JOIN capture_keys k ON k.session_id = s.id AND k.seq = s.last_seq
 WHERE s.tenant_id = $1 AND s.host = $2 AND s.external_id = $3 AND s.user_id = $4 AND s.status <> 'deleted'`;
const PROMPTS = `SELECT p.id AS row_id, p.seq, p.type, p.agent_id, encode(p.sha256, 'hex') AS sha256, p.occurred_at AS at_ms, p.occurred_at <> p.created_at AS own_time,
       coalesce(k.source, 'hook') AS source, t.row_id IS NOT NULL AS taken, coalesce(t.hashes, '{}') AS hashes
  FROM prompts p
  LEFT JOIN capture_keys k ON k.session_id = p.session_id AND k.seq = p.seq
  LEFT JOIN (SELECT DISTINCT ON (row_id) row_id, ARRAY(SELECT encode(h, 'hex') FROM unnest(hashes) AS h) AS hashes
               FROM transcript_prompts WHERE session_id = $1 AND row_id IS NOT NULL ORDER BY row_id, uuid) AS t ON t.row_id = p.id
 WHERE p.session_id = $1 ORDER BY p.seq DESC LIMIT ${MAX_PROMPTS}`;
const BOUNDARIES =
  'SELECT kind, agent_id, seq, occurred_at AS at_ms FROM boundaries WHERE session_id = $1 ORDER BY seq';

async function readSession(database: Database, owner: EventOwner, externalId: string): Promise<StoredSession | null> {
  return database.readAsTenant(viewOfUser(owner.tenantId, owner.userId), async (read) => {
    const found = await read({
      name: 'transcript_session',
      text: SESSION,
      values: [owner.tenantId, TRANSCRIPT_HOST, externalId, owner.userId],
    });
    const [session] = z.array(sessionRow).parse(found);
    if (session === undefined) return null;
    const prompts = await read({ name: 'transcript_session_prompts', text: PROMPTS, values: [session.sessionId] });
    const boundaries = await read({
      name: 'transcript_session_boundaries',
      text: BOUNDARIES,
      values: [session.sessionId],
    });
    return {
      ...session,
      prompts: z.array(promptRow).parse(prompts).toReversed(),
      boundaries: z.array(boundaryRow).parse(boundaries),
    };
  });
}

/**
 * Deletes late duplicates in favour of the earlier row: the key of the late row remains and points to the other row, its dependent rows move there, and
 * its vectors are removed. The boundary of a stop is deleted with it. Under a legal hold both rows remain.
 */
async function removeDuplicates(
  transaction: TenantTransaction,
  sessionId: string,
  duplicates: readonly Duplicate[],
): Promise<number> {
  await blockHolds(transaction);
  // As in capture: locks the session until the commit.
  await transaction.$queryRaw`SELECT 1 AS locked FROM sessions WHERE id = ${sessionId}::uuid FOR UPDATE`;
  if (await isUnderLegalHold(transaction, { sessionId })) return 0;
  let removed = 0;
  for (const { keep, drop } of duplicates) {
    const deleted = z.array(z.object({ tokens: z.number() })).parse(
      await transaction.$queryRaw`
        DELETE FROM prompts WHERE id = ${drop.rowId}::uuid AND session_id = ${sessionId}::uuid
           AND EXISTS (SELECT FROM prompts k WHERE k.id = ${keep.rowId}::uuid AND k.session_id = ${sessionId}::uuid)
        RETURNING tokens`,
    );
    const [row] = deleted;
    if (row === undefined) continue;
    removed += 1;
    await transaction.$executeRaw`
      DELETE FROM boundaries b USING capture_keys mine, capture_keys before
       WHERE b.session_id = ${sessionId}::uuid AND b.seq = ${drop.seq} + 1 AND b.kind IN ('turn_end', 'subagent_stop')
         AND mine.session_id = b.session_id AND mine.seq = b.seq AND before.session_id = b.session_id AND before.seq = ${drop.seq}
         AND regexp_replace(mine.key, ${PART_SUFFIX}, '') = regexp_replace(before.key, ${PART_SUFFIX}, '')
         AND EXISTS (SELECT FROM boundaries other WHERE other.session_id = b.session_id AND other.seq = ${keep.seq} + 1 AND other.kind = b.kind)`;
    await transaction.$executeRaw`
      UPDATE capture_keys SET row_id = ${keep.rowId}::uuid WHERE session_id = ${sessionId}::uuid AND seq = ${drop.seq}`;
    await transaction.$executeRaw`
      UPDATE observations SET prompt_id = ${keep.rowId}::uuid WHERE session_id = ${sessionId}::uuid AND prompt_id = ${drop.rowId}::uuid`;
    await transaction.$executeRaw`
      UPDATE sessions SET prompt_count = prompt_count - 1, token_count = greatest(0, token_count - ${row.tokens}), updated_at = now(),
             last_prompt_id = CASE WHEN last_prompt_id = ${drop.rowId}::uuid THEN ${keep.rowId}::uuid ELSE last_prompt_id END,
             last_row_id = CASE WHEN last_row_id = ${drop.rowId}::uuid THEN ${keep.rowId}::uuid ELSE last_row_id END
       WHERE id = ${sessionId}::uuid`;
    await requestRemoval(transaction, [drop.rowId]);
  }
  return removed;
}

async function pin(
  transaction: TenantTransaction,
  { tenantId, userId }: EventOwner,
  pins: readonly Pin[],
): Promise<void> {
  const rows = JSON.stringify(
    pins.map((one) => ({
      uuid: one.uuid,
      session_id: one.sessionId,
      row_id: one.rowId,
      hashes: one.hashes,
      at: one.at,
    })),
  );
  await transaction.$executeRaw`
    INSERT INTO transcript_prompts (tenant_id, user_id, uuid, session_id, row_id, hashes, occurred_at)
    SELECT ${tenantId}::uuid, ${userId}::uuid, r.uuid, r.session_id, coalesce(r.row_id, k.row_id), ARRAY(SELECT decode(h, 'hex') FROM jsonb_array_elements_text(r.hashes) AS h), r.at
      FROM jsonb_to_recordset(${rows}::jsonb) AS r(uuid text, session_id uuid, row_id uuid, hashes jsonb, at timestamptz)
      LEFT JOIN capture_keys k ON k.session_id = r.session_id AND k.key = 'transcript:' || r.uuid
    ON CONFLICT (tenant_id, user_id, uuid) DO NOTHING`;
}

const ownerRow = z.object({ tenant_id: z.string(), user_id: z.string() });

/**
 * Returns the owner of this machine's transcripts: the first active admin of the tenant `local`, which the first start creates; null without one. Other
 * tenants change nothing: the files remain those of the person who set up the instance. What reads them is off on servers unless the operator sets it
 * (`RECOLLECT_TRANSCRIPTS`, `claude-cli`). Needs a pool of the maintenance role.
 */
export async function localOwner(maintenance: pg.Pool): Promise<EventOwner | null> {
  const result = await maintenance.query(
    `SELECT u.tenant_id, u.id AS user_id FROM users u JOIN tenants t ON t.id = u.tenant_id
      WHERE t.name = 'local' AND u.role = 'admin' AND u.active ORDER BY u.id LIMIT 1`,
  );
  const [row] = z.array(ownerRow).parse(result.rows);
  return row === undefined ? null : { tenantId: asId<TenantId>(row.tenant_id), userId: asId<UserId>(row.user_id) };
}

/** Returns the ids of the host that are sessions of the user. */
export async function knownSessions(
  database: Database,
  { tenantId, userId }: EventOwner,
  externalIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (externalIds.length === 0) return new Set();
  const rows = await database.readAsTenant(tenantId, (read) =>
    read({
      name: 'transcript_known_sessions',
      text: "SELECT external_id FROM sessions WHERE tenant_id = $1 AND host = $2 AND external_id = ANY ($3) AND user_id = $4 AND status <> 'deleted'",
      values: [tenantId, TRANSCRIPT_HOST, [...new Set(externalIds)], userId],
    }),
  );
  return new Set(
    z
      .array(z.object({ external_id: z.string() }))
      .parse(rows)
      .map((row) => row.external_id),
  );
}

/** The part of the store that finds and deletes late duplicates of one user. */
export function createDuplicateStore(
  database: Database,
  owner: EventOwner,
): Pick<TranscriptStore, 'readSession' | 'removeDuplicates'> {
  return {
    readSession: (externalId) => readSession(database, owner, externalId),
    removeDuplicates: (sessionId, duplicates) =>
      database.asTenant(viewOfUser(owner.tenantId, owner.userId), (transaction) =>
        removeDuplicates(transaction, sessionId, duplicates),
      ),
  };
}

/** The store for reading the transcripts of one user. `capture` stores events and hints their workflows. */
export function createTranscriptStore(
  database: Database,
  owner: EventOwner,
  capture: (events: readonly HostEvent[]) => Promise<Captured[]>,
): TranscriptStore {
  const { tenantId, userId } = owner;
  return {
    ...createDuplicateStore(database, owner),
    knownKeys: (sessionId, keys) =>
      database.readAsTenant(tenantId, async (read) => {
        const rows = await read({
          name: 'transcript_known_keys',
          text: 'SELECT key FROM capture_keys WHERE session_id = $1 AND key = ANY ($2)',
          values: [sessionId, keys],
        });
        return new Set(
          z
            .array(z.object({ key: z.string() }))
            .parse(rows)
            .map((row) => row.key),
        );
      }),
    knownPrompts: (uuids) =>
      database.readAsTenant(tenantId, async (read) => {
        const rows = await read({
          name: 'transcript_known_prompts',
          text: 'SELECT uuid, session_id FROM transcript_prompts WHERE tenant_id = $1 AND uuid = ANY ($2) AND user_id = $3',
          values: [tenantId, uuids, userId],
        });
        return new Map(
          z
            .array(z.object({ uuid: z.string(), session_id: z.string() }))
            .parse(rows)
            .map((row) => [row.uuid, row.session_id]),
        );
      }),
    forgottenWords: (externalId, hashes) =>
      database.readAsTenant(tenantId, (read) =>
        forgottenWords(read, { tenantId, userId, host: TRANSCRIPT_HOST, externalId }, hashes),
      ),
    capture,
    pin: (pins) => database.asTenant(tenantId, (transaction) => pin(transaction, owner, pins)),
    beganBy: (sessionId, at) =>
      database.asTenant(tenantId, async (transaction) => {
        await transaction.$executeRaw`UPDATE sessions SET started_at = ${at}::timestamptz WHERE id = ${sessionId}::uuid AND started_at > ${at}::timestamptz`;
      }),
  };
}
