import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf, rowOf } from '../connection/rows.ts';

/**
 * Tables with a `user_id`: `moved` if a transfer changes it, else why the rows remain with the user. An erasure of that user deletes those. A test compares the
 * names with the catalog.
 */
export const TRANSFERRED_TABLES: Readonly<Record<string, string>> = {
  // Private ones remain with the user.
  learnings: 'moved',
  sessions: 'what the user did; admins read and erase them',
  prompts: 'rows of the sessions of the user',
  observations: 'rows of the sessions of the user',
  summaries: 'derived from the sessions of the user, and written again from them',
  archives: 'sessions of the user',
  transcript_files: 'files of the user',
  transcript_prompts: 'rows of the sessions of the user',
  contexts: 'served to the user',
  memory_uses: 'feedback of the user',
  tombstones: 'name the sessions that the user forgot',
  imports: 'jobs of the user',
  exports: 'contain what the user may read',
  gdpr_requests: 'requests about the data of the user',
  consistency_checks: 'jobs of the user',
  retention_runs: 'jobs of the user',
  usage_ledger: 'tokens of the user',
  usage_reservations: 'tokens of the user',
  model_batch_calls: 'tokens of the user',
  system_alerts: 'alerts to the user',
  stream_events: 'notices of rows that remain, kept for a day',
  api_keys: 'credentials of the user',
  oauth_grants: 'credentials of the user',
  user_invites: 'credentials of the user',
  user_sessions: 'credentials of the user',
  user_identities: 'credentials of the user',
  mfa_totp: 'credentials of the user',
  mfa_recovery: 'credentials of the user',
  passkeys: 'credentials of the user',
};

const countsRow = rowOf({
  extracted: z.int(),
  by_hand: z.int(),
  closed: z.int(),
  erased_with_user: z.int(),
});

/**
 * Numbers of transferred learnings: current ones that sessions taught, current ones that users wrote or corrected, closed versions, and current ones that an
 * erasure of the former owner deletes all the same, because only sessions of that user taught them.
 */
export type TransferredLearnings = z.output<typeof countsRow>;

/** Learnings of one transaction: each writes all its indexes, 0.2 ms. */
const BATCH = 5_000;

/**
 * Makes another user the owner of the next shared learnings of a user after an id, closed versions included; a dry run only counts them. Locks them in the order of
 * their ids, as every change of several learnings does. `last`: the id to continue after; null: there are no more.
 */
export async function transferLearnings(
  transaction: TenantTransaction,
  {
    fromId,
    toId,
    after,
    isDryRun,
  }: { readonly fromId: string; readonly toId: string; readonly after: string; readonly isDryRun: boolean },
): Promise<{ readonly counts: TransferredLearnings; readonly last: string | null }> {
  const ids = idsOf(
    await transaction.$queryRaw`
      SELECT id FROM learnings WHERE user_id = ${fromId}::uuid AND visibility = 'shared' AND id > ${after}::uuid ORDER BY id LIMIT ${BATCH} FOR UPDATE`,
  );
  const last = ids.at(-1) ?? after;
  // Nested, so that PostgreSQL finds evidence by learning and sessions by id: it estimates one session a tenant.
  const rows = await transaction.$queryRaw`
    SELECT count(*) FILTER (WHERE valid_to IS NULL AND origin = 'extracted')::integer AS extracted,
           count(*) FILTER (WHERE valid_to IS NULL AND origin = 'user')::integer AS by_hand, count(valid_to)::integer AS closed,
           count(*) FILTER (WHERE valid_to IS NULL
             AND (SELECT bool_and((SELECT s.user_id FROM sessions s WHERE s.id = e.session_id) = ${fromId}::uuid) FROM learning_evidence e WHERE e.learning_id = l.id)
             AND EXISTS (
               WITH RECURSIVE older AS (
                 SELECT l.origin, l.previous_id, 1 AS depth
                 UNION ALL
                 SELECT o.origin, o.previous_id, older.depth + 1 FROM older JOIN learnings o ON o.id = older.previous_id WHERE older.depth < 100)
               SELECT FROM older WHERE origin <> 'user'))::integer AS erased_with_user
      FROM learnings l WHERE l.user_id = ${fromId}::uuid AND l.visibility = 'shared' AND l.id > ${after}::uuid AND l.id <= ${last}::uuid`;
  if (!isDryRun)
    await transaction.$executeRaw`
      UPDATE learnings SET user_id = ${toId}::uuid, updated_at = now()
       WHERE user_id = ${fromId}::uuid AND visibility = 'shared' AND id > ${after}::uuid AND id <= ${last}::uuid`;
  return { counts: z.tuple([countsRow]).parse(rows)[0], last: ids.length < BATCH ? null : last };
}
