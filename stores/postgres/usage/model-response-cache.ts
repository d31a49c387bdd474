import { v7 } from 'uuid';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { MODEL_ERROR_KINDS, MODEL_PROVIDERS } from '../../../domain/ports/model.ts';
import type { ModelProvider } from '../../../domain/ports/model.ts';
import { signatureBytes, signatureFrom } from '../../../domain/similarity.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { forgottenSoFar, blockForgetting } from '../erasure/forgotten.ts';

/** A cached response. */
export interface CachedResponse {
  readonly response: string;
  readonly provider: ModelProvider;
  readonly model: string;
}

/** A response to a nearly identical request. */
export interface NearResponse extends CachedResponse {
  readonly signature: Uint32Array;
  readonly novelWords: number;
}

const responseRow = { response: z.string(), provider: z.enum(MODEL_PROVIDERS), model: z.string() };

/** Returns the response to an identical request; null if there is none. */
export async function findResponse(
  transaction: TenantTransaction,
  promptVersion: string,
  requestSha256: Uint8Array,
): Promise<CachedResponse | null> {
  const rows = await transaction.$queryRaw`
    SELECT response, provider, model FROM model_response_cache
     WHERE tenant_id = (SELECT current_tenant_id()) AND prompt_version = ${promptVersion} AND request_sha256 = ${requestSha256} AND expires_at > now()
       AND unreadable IS NULL`;
  return z.array(z.object(responseRow)).parse(rows)[0] ?? null;
}

/** Number of candidates that are compared with a request. */
const CANDIDATES = 8;
const nearRow = z.object({ ...responseRow, signature: z.instanceof(Uint8Array), novel_words: z.number() });

/** Returns responses to requests that share a band with this one, most shared bands first. Uses the primary key of the bands: no scan. */
export async function findNearResponses(
  transaction: TenantTransaction,
  promptVersion: string,
  keys: readonly bigint[],
): Promise<NearResponse[]> {
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
    .map(({ signature, novel_words: novelWords, ...response }) => ({
      ...response,
      signature: signatureFrom(signature),
      novelWords,
    }));
}

const usageShape = z.object({
  provider: z.enum(MODEL_PROVIDERS),
  model: z.string(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  tokensCached: z.number(),
  tokensCacheWritten: z.number(),
  costUsd: z.number(),
  batch: z.boolean(),
  latencyMs: z.number(),
});

/** Why a paid request has no usable response, and its usage: the response can be repaired, or the repair failed, too. */
const unreadableMark = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('repairable'),
    kind: z.enum(['refused', 'truncated', 'invalid_output']),
    problem: z.string(),
    where: z.string(),
    usage: usageShape,
  }),
  z.object({
    state: z.literal('abandoned'),
    kind: z.enum(MODEL_ERROR_KINDS),
    where: z.string(),
    usage: z.array(usageShape).readonly(),
  }),
]);
export type UnreadableMark = z.infer<typeof unreadableMark>;

/** `response` is empty if it was abandoned. */
export type UnreadableResponse = UnreadableMark & { readonly response: string };

const unreadableRow = z.object({ response: z.string(), unreadable: unreadableMark });

/** Returns the unusable response to an identical request of this session; null if there is none. */
export async function findUnreadable(
  transaction: TenantTransaction,
  sessionId: string,
  promptVersion: string,
  requestSha256: Uint8Array,
): Promise<UnreadableResponse | null> {
  const rows = await transaction.$queryRaw`
    SELECT response, unreadable FROM model_response_cache
     WHERE tenant_id = (SELECT current_tenant_id()) AND prompt_version = ${promptVersion} AND request_sha256 = ${requestSha256} AND expires_at > now()
       AND session_id = ${sessionId}::uuid AND unreadable IS NOT NULL`;
  const [row] = z.array(unreadableRow).parse(rows);
  return row === undefined ? null : { response: row.response, ...row.unreadable };
}

/** Deletes what is stored of a request without a usable response: the next equal request calls the model again. */
export async function dropUnreadable(
  transaction: TenantTransaction,
  promptVersion: string,
  requestSha256: Uint8Array,
): Promise<void> {
  await transaction.$executeRaw`
    DELETE FROM model_response_cache
     WHERE tenant_id = (SELECT current_tenant_id()) AND prompt_version = ${promptVersion} AND request_sha256 = ${requestSha256} AND unreadable IS NOT NULL`;
}

export interface ResponseToCache extends CachedResponse {
  readonly tenantId: TenantId;
  readonly sessionId: string;
  readonly promptVersion: string;
  readonly requestSha256: Uint8Array<ArrayBuffer>;
  /** Tokens that a hit saves. */
  readonly tokens: number;
  /** Null if only an identical request may use the response. */
  readonly near: {
    readonly signature: Uint32Array;
    readonly keys: readonly bigint[];
    readonly novelWords: number;
  } | null;
  readonly days: number;
  /** Null for a usable response. */
  readonly unreadable: UnreadableMark | null;
  /** `forgottenSoFar` of the session when its rows were read. */
  readonly forgotten: number;
}

/** Expired responses of the tenant that one insert deletes. */
const SWEPT = 50;

/**
 * Stores a response, unless something of its session was forgotten since its rows were read. Also deletes some expired responses, more than it adds, so
 * that no job is needed.
 */
export async function cacheResponse(transaction: TenantTransaction, entry: ResponseToCache): Promise<void> {
  await blockForgetting(transaction, entry.sessionId);
  if ((await forgottenSoFar(transaction, entry.sessionId)) !== entry.forgotten) return;
  const id = v7();
  const signature = entry.near === null ? null : signatureBytes(entry.near.signature);
  const inserted = await transaction.$executeRaw`
    INSERT INTO model_response_cache AS a (id, tenant_id, session_id, prompt_version, request_sha256, response, provider, model, tokens, signature, novel_words, unreadable, expires_at)
    VALUES (${id}::uuid, ${entry.tenantId}::uuid, ${entry.sessionId}::uuid, ${entry.promptVersion}, ${entry.requestSha256}, ${entry.response}, ${entry.provider}, ${entry.model},
            ${entry.tokens}, ${signature}, ${entry.near?.novelWords ?? 0}, ${entry.unreadable === null ? null : JSON.stringify(entry.unreadable)}::jsonb, now() + make_interval(days => ${entry.days}::integer))
    ON CONFLICT (tenant_id, prompt_version, request_sha256)
    DO UPDATE SET response = excluded.response, provider = excluded.provider, model = excluded.model, tokens = excluded.tokens, session_id = excluded.session_id,
                  novel_words = excluded.novel_words, unreadable = excluded.unreadable, created_at = now(), expires_at = excluded.expires_at
     -- A usable response is not replaced by an unusable one.
     WHERE excluded.unreadable IS NULL OR a.unreadable IS NOT NULL OR a.expires_at <= now()`;
  if (inserted === 1 && entry.near !== null)
    await transaction.$executeRaw`
      INSERT INTO model_response_bands (tenant_id, key, response_id)
      SELECT a.tenant_id, key, a.id FROM model_response_cache a CROSS JOIN unnest(${[...entry.near.keys]}::bigint[]) AS key WHERE a.id = ${id}::uuid ON CONFLICT DO NOTHING`;
  // Another call may be renewing one of these rows and wait for the one renewed here: locked rows are skipped.
  await transaction.$executeRaw`
    DELETE FROM model_response_cache WHERE id IN (SELECT id FROM model_response_cache WHERE tenant_id = (SELECT current_tenant_id()) AND expires_at < now() ORDER BY expires_at LIMIT ${SWEPT} FOR UPDATE SKIP LOCKED)`;
}

/** Deletes the responses to rows of a session, because some of it was forgotten. */
export async function forgetResponses(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.$executeRaw`DELETE FROM model_response_cache WHERE session_id = ${sessionId}::uuid`;
}
