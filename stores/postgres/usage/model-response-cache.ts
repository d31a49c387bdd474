import { v7 } from 'uuid';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { signatureBytes, signatureFrom } from '../../../domain/similarity.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { forgottenSoFar, blockForgetting } from '../erasure/forgotten.ts';

/** A cached response. */
export interface CachedResponse {
  readonly response: string;
  readonly provider: 'local' | 'anthropic';
  readonly model: string;
}

/** A response to a nearly identical request. */
export interface NearAnswer extends CachedResponse {
  readonly signature: Uint32Array;
  readonly novelWords: number;
}

const keptRow = { response: z.string(), provider: z.enum(['local', 'anthropic']), model: z.string() };

/** Returns the response to an identical request; null if there is none. */
export async function findAnswer(
  transaction: TenantTransaction,
  promptVersion: string,
  requestSha256: Uint8Array,
): Promise<CachedResponse | null> {
  const rows = await transaction.$queryRaw`
    SELECT response, provider, model FROM model_response_cache
     WHERE tenant_id = (SELECT current_tenant_id()) AND prompt_version = ${promptVersion} AND request_sha256 = ${requestSha256} AND expires_at > now()
       AND unreadable IS NULL`;
  return z.array(z.object(keptRow)).parse(rows)[0] ?? null;
}

/** Number of candidates that are compared with a request. */
const CANDIDATES = 8;
const nearRow = z.object({ ...keptRow, signature: z.instanceof(Uint8Array), novel_words: z.number() });

/** Answers to questions that share a band with this one, those that share most first. By the primary key of the bands: nothing is scanned. */
export async function findNearAnswers(
  transaction: TenantTransaction,
  promptVersion: string,
  keys: readonly bigint[],
): Promise<NearAnswer[]> {
  const rows = await transaction.$queryRaw`
    SELECT a.response, a.provider, a.model, a.signature, a.novel_words
      FROM (SELECT response_id, count(*) AS shared FROM model_response_bands
             WHERE tenant_id = (SELECT current_tenant_id()) AND key = ANY (${[...keys]}::bigint[]) GROUP BY response_id ORDER BY 2 DESC LIMIT ${CANDIDATES}) AS near
      JOIN model_response_cache a ON a.id = near.response_id
     WHERE a.prompt_version = ${promptVersion} AND a.expires_at > now() AND a.unreadable IS NULL AND a.signature IS NOT NULL
     ORDER BY near.shared DESC, a.id`;
  return z
    .array(nearRow)
    .parse(rows)
    .map(({ signature, novel_words: strange, ...kept }) => ({
      ...kept,
      signature: signatureFrom(signature),
      novelWords: strange,
    }));
}

/** Why an answer that was paid for cannot be used, and what it cost. */
const unreadableMark = z.object({
  kind: z.enum(['refused', 'truncated', 'invalid_output']),
  problem: z.string(),
  where: z.string(),
  usage: z.object({
    provider: z.enum(['local', 'anthropic']),
    model: z.string(),
    inputTokens: z.number(),
    outputTokens: z.number(),
    tokensCached: z.number(),
    tokensCacheWritten: z.number(),
    costUsd: z.number(),
    batch: z.boolean(),
    latencyMs: z.number(),
  }),
});
export type UnreadableMark = z.infer<typeof unreadableMark>;

export interface UnreadableAnswer extends UnreadableMark {
  readonly response: string;
}

const unreadableRow = z.object({ response: z.string(), unreadable: unreadableMark });

/** The answer to the very same question that this session was given and could not use; null when there is none. */
export async function findUnreadable(
  transaction: TenantTransaction,
  sessionId: string,
  promptVersion: string,
  requestSha256: Uint8Array,
): Promise<UnreadableAnswer | null> {
  const rows = await transaction.$queryRaw`
    SELECT response, unreadable FROM model_response_cache
     WHERE tenant_id = (SELECT current_tenant_id()) AND prompt_version = ${promptVersion} AND request_sha256 = ${requestSha256} AND expires_at > now()
       AND session_id = ${sessionId}::uuid AND unreadable IS NOT NULL`;
  const [row] = z.array(unreadableRow).parse(rows);
  return row === undefined ? null : { response: row.response, ...row.unreadable };
}

/** Deletes a response that was unusable and could not be repaired: the next request calls the model again. */
export async function dropUnreadable(
  transaction: TenantTransaction,
  promptVersion: string,
  requestSha256: Uint8Array,
): Promise<void> {
  await transaction.$executeRaw`
    DELETE FROM model_response_cache
     WHERE tenant_id = (SELECT current_tenant_id()) AND prompt_version = ${promptVersion} AND request_sha256 = ${requestSha256} AND unreadable IS NOT NULL`;
}

export interface AnswerToKeep extends CachedResponse {
  readonly tenantId: TenantId;
  readonly sessionId: string;
  readonly promptVersion: string;
  readonly requestSha256: Uint8Array<ArrayBuffer>;
  /** What a hit saves. */
  readonly tokens: number;
  /** Null where only the same question may take the answer. */
  readonly near: {
    readonly signature: Uint32Array;
    readonly keys: readonly bigint[];
    readonly novelWords: number;
  } | null;
  readonly days: number;
  /** Null for an answer that can be used. */
  readonly unreadable: UnreadableMark | null;
  /** What was forgotten of the session when its rows were read, see `forgottenSoFar`. */
  readonly forgotten: number;
}

/** Of one insert: expired answers of the tenant that go with it. */
const SWEPT = 50;

/**
 * Stores a response, unless something of its session was forgotten since its rows were read. Also deletes some expired responses, more than it adds, so
 * that no job is needed.
 */
export async function cacheResponse(transaction: TenantTransaction, kept: AnswerToKeep): Promise<void> {
  await blockForgetting(transaction, kept.sessionId);
  if ((await forgottenSoFar(transaction, kept.sessionId)) !== kept.forgotten) return;
  const id = v7();
  const signature = kept.near === null ? null : signatureBytes(kept.near.signature);
  const inserted = await transaction.$executeRaw`
    INSERT INTO model_response_cache AS a (id, tenant_id, session_id, prompt_version, request_sha256, response, provider, model, tokens, signature, novel_words, unreadable, expires_at)
    VALUES (${id}::uuid, ${kept.tenantId}::uuid, ${kept.sessionId}::uuid, ${kept.promptVersion}, ${kept.requestSha256}, ${kept.response}, ${kept.provider}, ${kept.model},
            ${kept.tokens}, ${signature}, ${kept.near?.novelWords ?? 0}, ${kept.unreadable === null ? null : JSON.stringify(kept.unreadable)}::jsonb, now() + make_interval(days => ${kept.days}::integer))
    ON CONFLICT (tenant_id, prompt_version, request_sha256)
    DO UPDATE SET response = excluded.response, provider = excluded.provider, model = excluded.model, tokens = excluded.tokens, session_id = excluded.session_id,
                  novel_words = excluded.novel_words, unreadable = excluded.unreadable, created_at = now(), expires_at = excluded.expires_at
     -- What can be used is not given up for what cannot.
     WHERE excluded.unreadable IS NULL OR a.unreadable IS NOT NULL OR a.expires_at <= now()`;
  if (inserted === 1 && kept.near !== null)
    await transaction.$executeRaw`
      INSERT INTO model_response_bands (tenant_id, key, response_id)
      SELECT a.tenant_id, key, a.id FROM model_response_cache a CROSS JOIN unnest(${[...kept.near.keys]}::bigint[]) AS key WHERE a.id = ${id}::uuid ON CONFLICT DO NOTHING`;
  // Another call may be renewing one of them, and wait for what this one renewed: what is locked is left to it.
  await transaction.$executeRaw`
    DELETE FROM model_response_cache WHERE id IN (SELECT id FROM model_response_cache WHERE tenant_id = (SELECT current_tenant_id()) AND expires_at < now() ORDER BY expires_at LIMIT ${SWEPT} FOR UPDATE SKIP LOCKED)`;
}

/** Deletes the responses to rows of a session, because some of it was forgotten. */
export async function forgetAnswers(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.$executeRaw`DELETE FROM model_response_cache WHERE session_id = ${sessionId}::uuid`;
}
