import { createHash } from 'node:crypto';
import { asId } from '../../domain/ids.ts';
import type { ModelUsage, ModelRequest, SourceRow } from '../../domain/ports/model.ts';
import {
  bandKeys,
  estimatedSimilarity,
  shapeOf,
  signatureOf,
  novelWords,
  withoutVolatile,
} from '../../domain/similarity.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { findResponse, findNearResponses, cacheResponse } from '../../stores/postgres/usage/model-response-cache.ts';
import type { CachedResponse, NearResponse } from '../../stores/postgres/usage/model-response-cache.ts';
import { bookUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';

/** Conditions for the cached response to a nearly identical request. */
export interface NearOptions<Output> {
  readonly rows: readonly SourceRow[];
  /** Returns true if these rows support every claim of the response. */
  readonly isSupported: (output: Output) => boolean;
}

/** A request as cached. Its signature is computed lazily and once. */
export interface CacheQuestion {
  readonly promptVersion: string;
  readonly text: string;
  readonly sha256: Uint8Array<ArrayBuffer>;
  readonly near: { readonly signature: Uint32Array; readonly keys: readonly bigint[] } | null;
}

export interface CacheSettings {
  readonly similarity: number;
  readonly days: number;
}

/** How long a response is cached, and `forgottenSoFar` of its session when its rows were read. */
export interface CacheLife {
  readonly days: number;
  readonly forgotten: number;
}

export function cacheQuestion<Output>(
  call: ModelRequest<Output>,
  near: NearOptions<Output> | undefined,
  { similarity }: CacheSettings,
): CacheQuestion {
  const { promptVersion, requestText: question } = call;
  const sha256 = new Uint8Array(createHash('sha256').update(question, 'utf8').digest());
  if (near === undefined || similarity >= 1) return { promptVersion, text: question, sha256, near: null };
  let made: CacheQuestion['near'] = null;
  return {
    promptVersion,
    text: question,
    sha256,
    // Lazy: equal requests are found without it.
    get near() {
      if (made !== null) return made;
      const signature = signatureOf(question);
      const kind = `${promptVersion}\u001f${shapeOf(near.rows)}`;
      made = { signature, keys: bandKeys(signature, kind) };
      return made;
    },
  };
}

/** Counts the words of a response that the request lacks, without volatile ones (times, ids). */
export function novelWordsOf(answer: string, question: string): number {
  return novelWords(withoutVolatile(answer), withoutVolatile(question));
}

/**
 * Returns a cached response's output for a nearly identical request; null if it is too dissimilar, uses words or claims that the new
 * rows lack, or cannot be parsed.
 */
export function reuseNear<Output>(
  cached: Pick<NearResponse, 'response' | 'signature' | 'novelWords'>,
  call: ModelRequest<Output>,
  question: CacheQuestion,
  near: NearOptions<Output>,
  similarity: number,
): Output | null {
  if (question.near === null || estimatedSimilarity(cached.signature, question.near.signature) < similarity)
    return null;
  if (novelWordsOf(cached.response, question.text) > cached.novelWords) return null;
  const reading = call.read(cached.response);
  return reading.ok && near.isSupported(reading.output) ? reading.output : null;
}

/** A cached response that can be used, and its output. */
export interface CacheHit<Output> {
  readonly output: Output;
  readonly cached: CachedResponse;
}

/** Finds a cached response to an equal request, or to a nearly identical one whose every claim the new rows support. Null if there is none. */
export async function findCachedResponse<Output>(
  database: Database,
  owner: UsageOwner,
  call: ModelRequest<Output>,
  question: CacheQuestion,
  near: NearOptions<Output> | undefined,
  { similarity }: CacheSettings,
): Promise<CacheHit<Output> | null> {
  const { same, alike } = await database.asTenant(asId(owner.tenantId), async (transaction) => {
    const found = await findResponse(transaction, question.promptVersion, question.sha256);
    if (found !== null || question.near === null) return { same: found, alike: [] };
    return { same: null, alike: await findNearResponses(transaction, question.promptVersion, question.near.keys) };
  });
  if (same !== null) {
    const reading = call.read(same.response);
    return reading.ok ? { output: reading.output, cached: same } : null;
  }
  if (near === undefined) return null;
  for (const cached of alike) {
    const output = reuseNear(cached, call, question, near, similarity);
    if (output !== null) return { output, cached };
  }
  return null;
}

/** Records a cache hit, which costs nothing. */
export async function bookHit(
  database: Database,
  owner: UsageOwner,
  cached: CachedResponse,
  latencyMs: number,
): Promise<ModelUsage> {
  const usage: ModelUsage = {
    provider: cached.provider,
    model: cached.model,
    inputTokens: 0,
    outputTokens: 0,
    tokensCached: 0,
    tokensCacheWritten: 0,
    costUsd: 0,
    batch: false,
    latencyMs,
  };
  await database.asTenant(asId(owner.tenantId), (transaction) => bookUsage(transaction, owner, [usage], true));
  return usage;
}

/** Caches a usable response for the configured number of days. */
export async function cacheForRequest(
  transaction: TenantTransaction,
  owner: UsageOwner,
  question: CacheQuestion,
  given: { readonly text: string; readonly usage: ModelUsage },
  { days, forgotten }: CacheLife,
): Promise<void> {
  if (days === 0) return;
  const { text, usage } = given;
  await cacheResponse(transaction, {
    tenantId: asId(owner.tenantId),
    sessionId: owner.sessionId,
    promptVersion: question.promptVersion,
    requestSha256: question.sha256,
    response: text,
    provider: usage.provider,
    model: usage.model,
    tokens: usage.inputTokens + usage.outputTokens,
    near: question.near === null ? null : { ...question.near, novelWords: novelWordsOf(text, question.text) },
    days,
    unreadable: null,
    forgotten,
  });
}
