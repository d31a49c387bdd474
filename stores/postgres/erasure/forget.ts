import { createHash } from 'node:crypto';
import { z } from 'zod';
import { amongAllUsers } from '../connection/database.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { readCapturedEvent } from '../capture/captured-events.ts';
import type { CapturedEvent } from '../capture/captured-events.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';
import { rowsAfterPrompts, requestRewrite } from '../embeddings/embedding-rewrites.ts';
import { addTombstones, EVIDENCE_FORGOTTEN, lockForgetting } from './forgotten.ts';
import { forgetGraph } from '../graph/graph-writes.ts';
import { forgetResponses } from '../usage/model-response-cache.ts';
import { idsOf } from '../connection/rows.ts';

/** Numbers of forgotten rows. */
export interface Forgotten {
  readonly prompts: number;
  readonly observations: number;
  readonly boundaries: number;
  readonly summaries: number;
  /** Windows that are summarised again, from the remaining rows. */
  readonly windows: number;
  /** Quotes of learnings. */
  readonly evidence: number;
  /** Learnings that no quote is left for: closed, and their text removed. */
  readonly learnings: number;
  /** Chunks that leave the vector index. */
  readonly vectors: number;
}

/** Versions that are followed: a bound, should they ever point in a circle. */
const MAX_VERSIONS = 100;

function sha256(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(text, 'utf8').digest());
}

/** The key as a re-delivery would name it: an event without a key is stored under its hash and place, and known by its hash alone. */
function tombstoneKey(key: string): string {
  return `key:${/^hash:[0-9a-f]{64}@\d+$/.test(key) ? key.slice(0, key.lastIndexOf('@')) : key}`;
}

async function bury(transaction: TenantTransaction, sessionId: string, names: readonly string[]): Promise<void> {
  await transaction.$executeRaw`
    INSERT INTO tombstones (tenant_id, host, external_id, user_id, key_sha256)
    SELECT s.tenant_id, s.host, s.external_id, s.user_id, name FROM sessions s CROSS JOIN unnest(${names.map(sha256)}::bytea[]) AS name
     WHERE s.id = ${sessionId}::uuid ON CONFLICT DO NOTHING`;
}

/**
 * Closes those of these learnings that have no evidence left; returns their ids. Deletes their text and fingerprint, so that the same knowledge can be
 * learned again. Learnings whose every version a user wrote need no evidence.
 */
export async function closeWithoutEvidence(transaction: TenantTransaction, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const closed = idsOf(
    await transaction.$queryRaw`
      UPDATE learnings l SET valid_to = coalesce(valid_to, greatest(now(), valid_from)), reason = ${EVIDENCE_FORGOTTEN}, title = 'Forgotten', description = '', context = '', examples = '[]',
             tags = '{}', verify_note = NULL, reopen_reason = NULL, fingerprint = sha256(l.id::text::bytea), updated_at = now()
       WHERE l.id = ANY (${ids}::uuid[]) AND NOT EXISTS (SELECT FROM learning_evidence e WHERE e.learning_id = l.id)
         AND EXISTS (
           WITH RECURSIVE older AS (
             SELECT l.origin, l.previous_id, 1 AS depth
             UNION ALL
             SELECT o.origin, o.previous_id, older.depth + 1 FROM older JOIN learnings o ON o.id = older.previous_id WHERE older.depth < ${MAX_VERSIONS})
           SELECT FROM older WHERE origin <> 'user')
      RETURNING l.id`,
  );
  return closed;
}

/** Deletes evidence, also that of other users' private learnings, and closes learnings without evidence. */
function forgetEvidence(
  transaction: TenantTransaction,
  sessionId: string,
  rowIds: readonly string[] | null,
): ReturnType<typeof deleteEvidence> {
  return amongAllUsers(transaction, () => deleteEvidence(transaction, sessionId, rowIds));
}

async function deleteEvidence(
  transaction: TenantTransaction,
  sessionId: string,
  rowIds: readonly string[] | null,
): Promise<{ readonly evidence: number; readonly taught: string[]; readonly closed: string[] }> {
  const taught = z.array(z.object({ learning_id: z.string() })).parse(
    await transaction.$queryRaw`
      DELETE FROM learning_evidence WHERE session_id = ${sessionId}::uuid AND (${rowIds}::uuid[] IS NULL OR row_id = ANY (${rowIds}::uuid[])) RETURNING learning_id`,
  );
  const ids = [...new Set(taught.map((row) => row.learning_id))];
  return { evidence: taught.length, taught: ids, closed: await closeWithoutEvidence(transaction, ids) };
}

/** Numbers of the windows that hold one of these positions, or that were summarised with one of these prompts as the request before them. */
async function windowsOf(
  transaction: TenantTransaction,
  sessionId: string,
  seqs: readonly number[],
  requestSeqs: readonly number[],
): Promise<number[]> {
  const rows = await transaction.$queryRaw`
    SELECT w.n FROM windows w
     WHERE w.session_id = ${sessionId}::uuid
       AND (EXISTS (SELECT FROM unnest(${seqs}::integer[]) AS seq WHERE seq BETWEEN w.from_seq AND w.to_seq)
            OR EXISTS (SELECT FROM unnest(${requestSeqs}::integer[]) AS prompt_seq
                        WHERE prompt_seq < w.from_seq
                          AND NOT EXISTS (SELECT FROM prompts p WHERE p.session_id = w.session_id AND p.type = 'user'
                                           AND p.seq > prompt_seq AND p.seq < w.from_seq AND p.seq <> ALL (${seqs}::integer[]))))`;
  return z
    .array(z.object({ n: z.number() }))
    .parse(rows)
    .map((row) => row.n);
}

const promptRow = z.object({ seq: z.number(), type: z.string(), sha256: z.string(), content: z.string() });

/** Tombstones of the texts of prompts: the text, the text without surrounding blanks, and every text of their transcript line. */
async function namesOfWords(
  transaction: TenantTransaction,
  sessionId: string,
  ids: readonly string[],
  prompts: readonly z.output<typeof promptRow>[],
): Promise<string[]> {
  const lines = z.array(z.object({ hash: z.string() })).parse(
    await transaction.$queryRaw`
      SELECT DISTINCT encode(hash, 'hex') AS hash FROM transcript_prompts t CROSS JOIN unnest(t.hashes) AS hash
       WHERE t.session_id = ${sessionId}::uuid AND t.row_id = ANY (${ids}::uuid[])`,
  );
  const trimmed = prompts
    .map(({ content }) => content.trim())
    .filter((text) => text !== '')
    .map((text) => Buffer.from(sha256(text)).toString('hex'));
  const hashes = [...prompts.map((prompt) => prompt.sha256), ...trimmed, ...lines.map(({ hash }) => hash)];
  return [...new Set(hashes)].map((hash) => `content:${hash}`);
}

/**
 * Forgets one event: its rows, their quotes, and everything derived from them. Tombstones prevent its return. Its windows are summarised
 * again, for which an ended session is reopened. Returns null if the event is already deleted. The caller hints the session and the index.
 */
export async function forgetEvent(transaction: TenantTransaction, found: CapturedEvent): Promise<Forgotten | null> {
  const { sessionId } = found;
  await lockForgetting(transaction, sessionId);
  await transaction.$executeRaw`SELECT FROM sessions WHERE id = ${sessionId}::uuid FOR UPDATE`;
  const event = await readCapturedEvent(transaction, sessionId, found.key);
  if (event === null) return null;
  const ids = event.rows.map((row) => row.id);
  const seqs = event.rows.map((row) => row.seq);
  const prompts = z
    .array(promptRow)
    .parse(
      await transaction.$queryRaw`SELECT seq, type, encode(sha256, 'hex') AS sha256, content FROM prompts WHERE session_id = ${sessionId}::uuid AND seq = ANY (${seqs}::integer[])`,
    );
  const words = await namesOfWords(transaction, sessionId, ids, prompts);
  await bury(transaction, sessionId, [tombstoneKey(event.key), ...words]);
  const requests = prompts.filter((prompt) => prompt.type === 'user').map((prompt) => prompt.seq);
  const windows = await windowsOf(transaction, sessionId, seqs, requests);
  // The session's summary is made from its prompts and topics: it may contain this event.
  const summaries = idsOf(
    await transaction.$queryRaw`
      DELETE FROM summaries WHERE session_id = ${sessionId}::uuid
         AND (type = 'session' OR window_n = ANY (${windows}::integer[])
              OR EXISTS (SELECT FROM jsonb_array_elements(evidence) AS piece WHERE piece ->> 'rowId' = ANY (${ids}::text[])))
      RETURNING id`,
  );
  await forgetResponses(transaction, sessionId);
  const { evidence, taught, closed } = await forgetEvidence(transaction, sessionId, ids);
  await forgetGraph(transaction, sessionId, [...ids, ...summaries, ...taught]);
  const removed = await removeRows(transaction, sessionId, seqs);
  // A prompt's first words are part of every chunk that it led to.
  await requestRewrite(transaction, await rowsAfterPrompts(transaction, sessionId, requests));
  await transaction.$executeRaw`
    UPDATE windows w SET attempts = 0, error = NULL, updated_at = now(),
           state = CASE WHEN EXISTS (SELECT FROM prompts p WHERE p.session_id = w.session_id AND p.seq BETWEEN w.from_seq AND w.to_seq)
                          OR EXISTS (SELECT FROM observations o WHERE o.session_id = w.session_id AND o.seq BETWEEN w.from_seq AND w.to_seq)
                        THEN 'pending' ELSE 'summarised' END
     WHERE w.session_id = ${sessionId}::uuid AND w.n = ANY (${windows}::integer[])`;
  // A transcript that is read again finds its line refused, not stored.
  await transaction.$executeRaw`
    UPDATE transcript_prompts SET row_id = NULL, hashes = NULL WHERE session_id = ${sessionId}::uuid AND row_id = ANY (${ids}::uuid[])`;
  const derived = summaries.length > 0 || windows.length > 0;
  await transaction.$executeRaw`
    UPDATE sessions SET prompt_count = greatest(0, prompt_count - ${removed.prompts}), observation_count = greatest(0, observation_count - ${removed.observations}),
           token_count = greatest(0, token_count - ${removed.tokens}),
           title = CASE WHEN metadata ? 'title_given' THEN title END,
           last_prompt_id = CASE WHEN last_prompt_id <> ALL (${ids}::uuid[]) THEN last_prompt_id END,
           last_row_id = CASE WHEN last_row_id <> ALL (${ids}::uuid[]) THEN last_row_id END,
           last_hash = CASE WHEN last_row_id <> ALL (${ids}::uuid[]) THEN last_hash END,
           ended_at = CASE WHEN ${derived} AND status = 'ended' THEN NULL ELSE ended_at END,
           phase = CASE WHEN ${derived} AND status = 'ended' THEN 'active' ELSE phase END,
           status = CASE WHEN ${derived} AND status = 'ended' THEN 'active' ELSE status END, updated_at = now()
     WHERE id = ${sessionId}::uuid`;
  const forgotten = [...ids, ...summaries, ...closed];
  await addTombstones(transaction, forgotten);
  const vectors = await requestRemoval(transaction, forgotten);
  return {
    prompts: removed.prompts,
    observations: removed.observations,
    boundaries: removed.boundaries,
    summaries: summaries.length,
    windows: windows.length,
    evidence,
    learnings: closed.length,
    vectors,
  };
}

const tokenRows = z.array(z.object({ id: z.string(), tokens: z.number() }));

/** Deletes the rows of these positions with their keys; null: of the session. */
async function removeRows(transaction: TenantTransaction, sessionId: string, seqs: readonly number[] | null) {
  const prompts = tokenRows.parse(
    await transaction.$queryRaw`DELETE FROM prompts WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[])) RETURNING id, tokens`,
  );
  const observations = tokenRows.parse(
    await transaction.$queryRaw`DELETE FROM observations WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[])) RETURNING id, tokens`,
  );
  const boundaries = await transaction.$executeRaw`
    DELETE FROM boundaries WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[]))`;
  await transaction.$executeRaw`DELETE FROM capture_keys WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[]))`;
  await transaction.$executeRaw`DELETE FROM trace_marks WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[]))`;
  if (prompts.length > 0) {
    const ids = prompts.map((row) => row.id);
    await transaction.$executeRaw`UPDATE observations SET prompt_id = NULL WHERE session_id = ${sessionId}::uuid AND prompt_id = ANY (${ids}::uuid[])`;
  }
  return {
    ids: [...prompts, ...observations].map((row) => row.id),
    prompts: prompts.length,
    observations: observations.length,
    boundaries,
    tokens: [...prompts, ...observations].reduce((sum, row) => sum + row.tokens, 0),
  };
}

/** Forgets a session: only its name remains, and it is not captured again. The caller hints the index. */
export async function forgetSession(transaction: TenantTransaction, sessionId: string): Promise<Forgotten> {
  await lockForgetting(transaction, sessionId);
  await transaction.$executeRaw`
    UPDATE sessions SET status = 'deleted', phase = 'settled', title = NULL, metadata = '{}', waiting_reason = NULL, last_error = NULL, prompt_count = 0, observation_count = 0,
           token_count = 0, last_hash = NULL, last_row_id = NULL, last_prompt_id = NULL, consumed_seq = last_seq, ended_at = coalesce(ended_at, now()), updated_at = now()
     WHERE id = ${sessionId}::uuid`;
  await bury(transaction, sessionId, ['session']);
  const summaries = idsOf(
    await transaction.$queryRaw`DELETE FROM summaries WHERE session_id = ${sessionId}::uuid RETURNING id`,
  );
  await forgetResponses(transaction, sessionId);
  const { evidence, closed } = await forgetEvidence(transaction, sessionId, null);
  await forgetGraph(transaction, sessionId, null);
  const removed = await removeRows(transaction, sessionId, null);
  // Learnings with evidence of other sessions remain.
  await amongAllUsers(
    transaction,
    () => transaction.$executeRaw`UPDATE learnings SET session_id = NULL WHERE session_id = ${sessionId}::uuid`,
  );
  // Their ids alone stay: by them the copies in the transcript of a session that resumed this one are known.
  await transaction.$executeRaw`
    UPDATE transcript_prompts SET row_id = NULL, hashes = NULL, occurred_at = NULL WHERE session_id = ${sessionId}::uuid`;
  const windows = await transaction.$executeRaw`DELETE FROM windows WHERE session_id = ${sessionId}::uuid`;
  // The session's own rows are refused with it; a learning may come again without it.
  await addTombstones(transaction, closed);
  const vectors = await requestRemoval(transaction, [...removed.ids, ...summaries, ...closed]);
  return {
    prompts: removed.prompts,
    observations: removed.observations,
    boundaries: removed.boundaries,
    summaries: summaries.length,
    windows,
    evidence,
    learnings: closed.length,
    vectors,
  };
}
